import type { ApiConnection } from '../api-connection.js';

/** `/v1/session`: browsers that stay signed in, on pages of the API. Every method throws as those of {@link ApiConnection}. */
export class Sessions {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  /** Signs this browser in with a token: a cookie that no script can read lasts through reloads and other tabs. */
  async signIn(token: string): Promise<void> {
    await this.#connection.done(PATH, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  }

  /** Signs this browser out, in all tabs. */
  async signOut(): Promise<void> {
    await this.#connection.done(PATH, { method: 'DELETE' });
  }
}

const PATH = '/v1/session';
