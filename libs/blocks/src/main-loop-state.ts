import { StateKind } from '@longrun/serialization';

/** The kind of a main loop's states. `arrays` says which belong to one: all that are `written`, or those chosen `by role`. */
export const MAIN_LOOP = new StateKind('MainLoop', {
  version: 3,
  namedSince: 3,
  migrations: [
    // In the first version, roles decided which arrays belong to a state; in the second, all that training writes did.
    { from: 1, migrate: (state) => ({ ...state, version: 2, arrays: 'by role' }) },
    // It did not say which algorithm it was.
    {
      from: 2,
      migrate: (state) => ({ arrays: 'written', ...state, version: 3, kind: 'MainLoop', algorithm: null }),
    },
  ],
});
