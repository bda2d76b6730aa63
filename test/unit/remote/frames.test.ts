import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { ProtocolError, frameDecoder } from '../../../src/remote/frames.ts';
import type { Frame } from '../../../src/remote/frames.ts';

/** As kit/stream.sh writes it. */
function encode(frame: Frame): Buffer {
  switch (frame.kind) {
    case 'Log':
      return Buffer.concat([Buffer.from(`L ${frame.offset} ${frame.bytes.length}\n`), frame.bytes]);
    case 'State':
      return Buffer.concat([Buffer.from(`S ${frame.body.length}\n`), frame.body]);
    case 'Notice':
      return Buffer.from(`N ${Buffer.byteLength(frame.text)}\n${frame.text}`);
    case 'Beat':
      return Buffer.from(`H ${frame.unixSeconds} ${frame.uptimeSeconds}\n`);
    default:
      return frame satisfies never;
  }
}

// Bytes that look like frames come often, so that a decoder which searches for them would fail.
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  fc.constantFrom('S 3\nexi', 'L 0 5\nhello', 'H 1 2\n', '\n', 'N 0\n').map((text) => Buffer.from(text)),
);
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.tuple(fc.nat(), bytes).map(([offset, bytes]) => ({ kind: 'Log' as const, offset, bytes })),
  bytes.map((body) => ({ kind: 'State' as const, body })),
  fc.string({ maxLength: 100 }).map((text) => ({ kind: 'Notice' as const, text })),
  fc
    .tuple(fc.nat(), fc.nat())
    .map(([unixSeconds, uptimeSeconds]) => ({ kind: 'Beat' as const, unixSeconds, uptimeSeconds })),
);

describe('the stream of frames', () => {
  it('gives the frames that were sent, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.nat({ max: 50 })), (frames, cuts) => {
        const stream = Buffer.concat(frames.map(encode));
        const decode = frameDecoder();
        const decoded: Frame[] = [];
        let at = 0;
        for (const size of [...cuts, stream.length]) {
          decoded.push(...decode(stream.subarray(at, at + size)));
          at += size;
        }
        assert.deepEqual(decoded, frames);
      }),
    );
  });

  it('takes output of a run for bytes, whatever it prints', () => {
    const bytes = Buffer.from('S 12\nexit 0 17000\nH 1 1\n');
    assert.deepEqual(frameDecoder()(encode({ kind: 'Log', offset: 7, bytes })), [{ kind: 'Log', offset: 7, bytes }]);
  });

  for (const text of [
    'X 1\n',
    'L 1\n',
    'L -1 5\n',
    'S 65537\n',
    'L 0 99999\n',
    'S 1 1\n',
    '\n',
    'H 1\n',
    'L 0 1'.padEnd(60, '0'),
  ]) {
    it(`is broken by ${JSON.stringify(text)}`, () => {
      assert.throws(() => frameDecoder()(Buffer.from(text)), ProtocolError);
    });
  }

  it('gives frames or a ProtocolError for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (array) => {
        try {
          frameDecoder()(Buffer.from(array));
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }
      }),
    );
  });
});
