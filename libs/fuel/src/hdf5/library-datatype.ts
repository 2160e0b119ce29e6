import type { Metadata } from 'h5wasm/node';
import { TEXT_PADDINGS, type Datatype } from './datatype.js';
import type { Hdf5Library } from './library.js';

type Classes = Hdf5Library['Module']['H5T_class_t'];

/**
 * A datatype as the library describes it, for what lies where only the library finds it. It says less than the file: a number is taken to
 * fill its bytes.
 */
export function libraryDatatype(metadata: Metadata, classes: Classes): Datatype {
  const { type, size } = metadata;
  switch (type) {
    case classes.H5T_INTEGER.value:
      return {
        class: 'integer',
        size,
        order: order(metadata),
        offset: 0,
        precision: 8 * size,
        signed: metadata.signed,
      };
    case classes.H5T_ENUM.value: {
      const base: Datatype = {
        class: 'integer',
        size,
        order: order(metadata),
        offset: 0,
        precision: 8 * size,
        signed: true,
      };
      return { class: 'enumeration', size, base, members: new Map() };
    }
    case classes.H5T_STRING.value: {
      if (metadata.vlen) return { class: 'other', size, name: 'text of variable length, too large for a header' };
      return { class: 'text', size, padding: TEXT_PADDINGS[metadata.strpad ?? 0] ?? 'null-padded' };
    }
    case classes.H5T_REFERENCE.value:
      return { class: 'reference', size, of: metadata.ref_type === 'object' ? 'object' : 'other' };
    case classes.H5T_ARRAY.value: {
      const base = metadata.array_type;
      if (base === undefined) return { class: 'other', size, name: 'array of unknown elements' };
      return { class: 'array', size, base: libraryDatatype(base, classes), shape: base.shape ?? [] };
    }
    case classes.H5T_COMPOUND.value: {
      const members = metadata.compound_type?.members ?? [];
      return {
        class: 'compound',
        size,
        members: members.map((member) => ({
          name: member.name,
          offset: member.offset,
          type: libraryDatatype(member, classes),
        })),
      };
    }
    default:
      return { class: 'other', size, name: `HDF5's class ${type}` };
  }
}

function order({ littleEndian, size }: Metadata): 'little' | 'VAX' {
  // The library turns some big-endian numbers and not others: what it leaves cannot be told.
  return littleEndian || size === 1 ? 'little' : 'VAX';
}
