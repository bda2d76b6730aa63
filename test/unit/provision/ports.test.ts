import assert from 'node:assert/strict';
import { decidePorts, portFields } from '../../../src/provision/ports.ts';

describe('ports of machines that run', () => {
  const wanted = ['80', '8000-8001'];
  const table = [
    ['are left alone where they are open', 'dynamic', wanted, undefined, undefined],
    ['are left alone once this process has opened them', 'dynamic', [], wanted, undefined],
    ['are opened where the cloud can', 'dynamic', ['80'], undefined, 'Open'],
    ['need nothing where everything is open', 'all-open', [], undefined, undefined],
    ['cannot change where they are set at launch', 'at-launch', ['22'], undefined, 'Refused'],
    ['cannot change where there are none', 'none', [], undefined, 'Refused'],
  ] as const;
  for (const [what, change, open, opened, kind] of table) {
    it(what, () => assert.equal(decidePorts({ wanted, change, opened }, open)?.kind, kind));
  }

  it('are told machine by machine, at public addresses only', () => {
    const nodes = [
      { slot: 0, attempt: 1, id: 'a', state: 'running', publicIp: '203.0.113.7' },
      { slot: 1, attempt: 1, id: 'b', state: 'running', publicIp: '2001:db8::1' },
      { slot: 2, attempt: 1, id: 'c', state: 'running', privateIp: '10.0.0.3' },
    ] as const;
    const { endpoints } = portFields(wanted, nodes);
    assert.deepEqual(
      endpoints?.map(({ port, slot, url }) => [port, slot, url]),
      [
        [80, 0, 'http://203.0.113.7:80'],
        [8000, 0, 'http://203.0.113.7:8000'],
        [8001, 0, 'http://203.0.113.7:8001'],
        [80, 1, 'http://[2001:db8::1]:80'],
        [8000, 1, 'http://[2001:db8::1]:8000'],
        [8001, 1, 'http://[2001:db8::1]:8001'],
      ],
    );
  });

  it('are as many as the status holds', () => {
    const nodes = [{ slot: 0, attempt: 1, id: 'a', state: 'running', publicIp: '203.0.113.7' }] as const;
    assert.equal(portFields(['1-65535'], nodes).endpoints?.length, 64);
  });
});
