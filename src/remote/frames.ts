/** The stream of frames that kit/stream.sh writes. Lengths come before bytes, so no output of a run can be taken for a frame. */
export type Frame =
  | { readonly kind: 'Log'; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'State'; readonly body: Buffer }
  | { readonly kind: 'Beat'; readonly unixSeconds: number; readonly uptimeSeconds: number }
  | { readonly kind: 'Notice'; readonly text: string };

/** The bytes are no frame. The channel is useless from there; the run is not touched. */
export class ProtocolError extends Error {}

const MAX_HEADER_BYTES = 48;
const MAX_BODY_BYTES = 65_536;
const HEADER =
  /^(?:(?<type>[SN]) (?<length>[0-9]{1,5})|L (?<offset>[0-9]{1,15}) (?<size>[0-9]{1,5})|H (?<unix>[0-9]{1,12}) (?<uptime>[0-9]{1,12}))$/;

/** Takes the stream in chunks of any cut and gives the frames that are complete. Throws ProtocolError. */
export function frameDecoder(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const frames: Frame[] = [];
    rest = Buffer.concat([rest, chunk]);
    for (let next = cut(rest); next !== undefined; next = cut(rest)) {
      frames.push(next.frame);
      rest = rest.subarray(next.end);
    }
    return frames;
  };
}

/** The first frame and where it ends; undefined while more bytes are needed. */
function cut(bytes: Buffer): { frame: Frame; end: number } | undefined {
  const newline = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a);
  if (newline < 0) {
    if (bytes.length >= MAX_HEADER_BYTES) throw new ProtocolError('a frame without a header');
    return undefined;
  }
  const groups = HEADER.exec(bytes.toString('latin1', 0, newline))?.groups;
  if (groups === undefined) throw new ProtocolError('a frame with a malformed header');
  const length = Number(groups['size'] ?? groups['length'] ?? 0);
  if (length > MAX_BODY_BYTES) throw new ProtocolError(`a frame of ${length} bytes`);
  const end = newline + 1 + length;
  if (bytes.length < end) return undefined;
  // A copy: a slice would keep the whole chunk alive for as long as the reader keeps these bytes.
  return { frame: frameOf(groups, Buffer.from(bytes.subarray(newline + 1, end))), end };
}

function frameOf(groups: Record<string, string | undefined>, body: Buffer): Frame {
  if (groups['offset'] !== undefined) return { kind: 'Log', offset: Number(groups['offset']), bytes: body };
  if (groups['type'] === 'S') return { kind: 'State', body };
  if (groups['type'] === 'N') return { kind: 'Notice', text: body.toString('utf8') };
  return { kind: 'Beat', unixSeconds: Number(groups['unix']), uptimeSeconds: Number(groups['uptime']) };
}
