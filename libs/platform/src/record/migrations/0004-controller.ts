import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Which process leads. Its signs of life are a row of their own, so that writing them waits for no transaction of the leader. */
export const controller: Migration = {
  name: '0004-controller',
  statements: [
    sql`create table controller (
      "only" boolean primary key default true check ("only"),
      number bigint not null default 0,
      holder text,
      since timestamptz
    )`,
    sql`insert into controller default values`,
    sql`create table controller_beats (
      "only" boolean primary key default true references controller,
      at timestamptz,
      flowing boolean not null default false
    )`,
    sql`insert into controller_beats default values`,
  ],
};
