import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NOBODY, unusedUser } from './unused-user.js';

const WHOLE = '         0          0 4294967295\n';
const NAMES = ['root:x:0:0:root:/root:/bin/bash\n', 'root:x:0:\n'];

test('where all numbers exist, a worker’s children have one of those that no user is given out from', () => {
  const known = { maps: [WHOLE, WHOLE], names: NAMES };
  expect(unusedUser(17, known)).toEqual({ uid: 1_900_000_017, gid: 1_900_000_017, isOwn: true });
});

test('in a user namespace the children of each worker have a number of their own that exists and has no name', () => {
  // As Podman makes it for a user: itself as root, and what it was given for the rest.
  const map = '         0       1000          1\n         1     100000      65536\n';
  const names = ['last:x:65536:100::/:/bin/sh\nservice:x:65530:100::/:/bin/sh\n', 'group:x:65000:\n'];
  const known = { maps: [map, map], names };
  expect(unusedUser(1, known).uid).toBe(65_532);
  const pid = fc.integer({ min: 1, max: 65_000 });
  fc.assert(
    fc.property(pid, pid, (one, other) => {
      const { uid, gid, isOwn } = unusedUser(one, known);
      expect(isOwn).toBe(true);
      expect(gid).toBe(uid);
      expect(uid).toBeGreaterThan(0);
      expect(uid).toBeLessThan(65_535);
      expect([65_000, 65_530, NOBODY]).not.toContain(uid);
      expect(unusedUser(other, known).uid === uid).toBe(one === other);
    }),
  );
});

test('a number exists where both users and groups have it', () => {
  const known = { maps: [' 0 1000 2000', ' 0 1000 1\n 500 2000 3'], names: ['x:x:501:501::/:\n', ''] };
  const users = [1, 2, 3].map((pid) => unusedUser(pid, known));
  expect(users.map(({ uid }) => uid)).toEqual([500, 502, 500]);
  // The first and the last are of two workers.
  expect(users.map(({ isOwn }) => isOwn)).toEqual([true, false, false]);
});

test('where no number is left, it is nobody', () => {
  const alone = '         0       1000          1\n';
  expect(unusedUser(17, { maps: [alone, alone], names: NAMES })).toEqual({ uid: NOBODY, gid: NOBODY, isOwn: false });
  expect(unusedUser(17, { maps: ['', ''], names: ['', ''] })).toEqual({ uid: NOBODY, gid: NOBODY, isOwn: false });
});
