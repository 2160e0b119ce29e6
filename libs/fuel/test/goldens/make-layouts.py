"""Writes the golden files of layouts and types with h5py, in this folder. Needs h5py 3 and numpy.

The element at position i of a source, counted over all of it, is `i * 7 % 251` in its type: so the tests say what should be read.
"""
import h5py
import numpy

EXAMPLES = 13
REFERENCE = h5py.special_dtype(ref=h5py.Reference)


def pattern(shape, dtype='int64'):
    return (numpy.arange(numpy.prod(shape)) * 7 % 251).reshape(shape).astype(dtype)


def split(h5file, names, dtype=None):
    dtype = dtype or [('split', 'S3'), ('source', 'S16'), ('start', '<i8'), ('stop', '<i8'), ('indices', REFERENCE),
                      ('available', '?'), ('comment', 'S1')]
    array = numpy.zeros(len(names), dtype=dtype)
    for i, name in enumerate(names):
        stop = h5file[name].shape[0] if 'huge' in h5file.filename else EXAMPLES
        values = {'split': b'all', 'source': name.encode(), 'start': 0, 'stop': stop, 'available': True, 'comment': b'.',
                  'indices': h5py.Reference()}
        array[i] = tuple(values[field] for field in array.dtype.names)
    h5file.attrs['split'] = array


def layouts(name, libver):
    """Chunks that do not fit the shape, in every way that HDF5 packs them; each format of the file finds them in another way."""
    with h5py.File(name, 'w', libver=libver) as h5file:
        shape = (EXAMPLES, 3, 5)
        data = pattern(shape, 'int16')
        filters = {
            'plain': {},
            'gzip': {'compression': 'gzip'},
            'shuffled': {'compression': 'gzip', 'shuffle': True},
            'summed': {'fletcher32': True},
            'szip': {'compression': 'szip'},
            'scaled': {'scaleoffset': 0},
        }
        for name, options in filters.items():
            h5file.create_dataset(name, data=data, chunks=(4, 2, 3), **options)
        h5file.create_dataset('single', data=data, chunks=(3, 1, 1))
        h5file.create_dataset('tall', data=data, chunks=(EXAMPLES, 1, 2), compression='gzip')
        h5file.create_dataset('resizable', data=data, chunks=(5, 3, 5), maxshape=(None, 3, 5))
        h5file.create_dataset('big', data=data.astype('>i2'), chunks=(4, 2, 3), compression='gzip')
        h5file.create_dataset('bigplain', data=data.astype('>i2'))
        part = h5file.create_dataset('part', shape, dtype='int16', chunks=(4, 2, 3), fillvalue=9)
        part[4:6, :, 1:] = data[4:6, :, 1:]
        h5file.create_dataset('never', shape, dtype='int16', fillvalue=9)
        space = h5py.h5s.create_simple(shape)
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        h5py.h5d.create(h5file.id, b'compact', h5py.h5t.STD_I16LE, space, compact).write(h5py.h5s.ALL, h5py.h5s.ALL, data)
        h5file['committed'] = numpy.dtype('<i2')
        h5file.create_dataset('named', data=data, dtype=h5file['committed'])
        h5file['link'] = h5py.SoftLink('/gzip')
        split(h5file, [name for name in h5file if name != 'committed'])


def types():
    """Elements that arrays do not hold, or not as they are; filters that are not HDF5's own; data in other files."""
    with h5py.File('types.hdf5', 'w') as h5file:
        data = pattern((EXAMPLES, 2))
        for name, dtype in {'unsigned': 'uint64', 'half': 'float16', 'text': 'S5', 'complex': 'complex64'}.items():
            h5file.create_dataset(name, data=data.astype(dtype))
        space = h5py.h5s.create_simple(data.shape)
        narrow = h5py.h5t.STD_I32LE.copy()
        narrow.set_precision(24)
        shifted = h5py.h5t.STD_U16LE.copy()
        shifted.set_precision(12)
        shifted.set_offset(4)
        brain = h5py.h5t.IEEE_F32LE.copy()
        brain.set_fields(15, 7, 8, 0, 7)
        brain.set_size(2)
        brain.set_ebias(127)
        odd = h5py.h5t.IEEE_F32LE.copy()
        odd.set_ebias(120)
        low_first = h5py.h5t.IEEE_F64LE.copy()
        low_first.set_order(h5py.h5t.ORDER_BE)
        for name, dtype in {'narrow': narrow, 'shifted': shifted, 'brain': brain, 'odd': odd, 'bits': h5py.h5t.STD_B8LE,
                            'double': low_first}.items():
            made = h5py.h5d.create(h5file.id, name.encode(), dtype, space)
            made.write(h5py.h5s.ALL, h5py.h5s.ALL, data.astype('float64' if name != 'bits' else 'uint8'),
                       h5py.h5t.NATIVE_B8 if name == 'bits' else None)
        h5file.create_dataset('colour', data=data % 2, dtype=h5py.enum_dtype({'RED': 0, 'BLUE': 1}, 'int8'))
        h5file.create_dataset('pairs', data=numpy.zeros(EXAMPLES, dtype=[('x', 'f4'), ('y', 'f4')]))
        h5file.create_dataset('ragged', (EXAMPLES,), dtype=h5py.vlen_dtype('uint8'))
        h5file.create_dataset('words', data=['a'] * EXAMPLES, dtype=h5py.string_dtype())
        h5file.create_dataset('lzf', data=data.astype('int16'), chunks=(4, 2), compression='lzf')
        h5file.create_dataset('elsewhere', data.shape, dtype='int16', external=[('other.bin', 0, 52)])
        h5file['linked'] = h5py.ExternalLink('other.hdf5', '/x')
        layout = h5py.VirtualLayout(shape=data.shape, dtype='int16')
        layout[:] = h5py.VirtualSource('other.hdf5', 'x', shape=data.shape)
        h5file.create_virtual_dataset('virtual', layout)
        h5file.create_dataset('scalar', data=3)
        h5file.create_dataset('good', data=data.astype('int16'))
        split(h5file, [name for name in h5file])


def blosc():
    """A chunk that says it went through blosc; what is in it does not matter."""
    with h5py.File('blosc.hdf5', 'w') as h5file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((4,))
        plist.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (2, 2, 1, 4, 5, 1, 0))
        space = h5py.h5s.create_simple((EXAMPLES,))
        made = h5py.h5d.create(h5file.id, b'x', h5py.h5t.STD_U8LE, space, plist)
        made.write_direct_chunk((0,), b'abcd', 0)
        split(h5file, ['x'])


def huge():
    """Sources of more than 4 GiB, without a chunk: a test writes the one that it reads."""
    with h5py.File('huge.hdf5', 'w') as h5file:
        shape = (5000, 1, 1024, 1024)
        h5file.create_dataset('tall', shape, dtype='uint8', chunks=(5000, 1, 64, 64))
        h5file.create_dataset('packed', shape, dtype='uint8', chunks=(5000, 1, 256, 256), compression='gzip')
        h5file.create_dataset('wide', (EXAMPLES, 2 ** 20, 2 ** 20), dtype='uint8', chunks=(1, 64, 64))
        split(h5file, list(h5file))


SPLITS = {
    'big': [('split', 'S3'), ('source', 'S16'), ('start', '>i8'), ('stop', '>i4'), ('indices', REFERENCE), ('available', '?'),
            ('comment', 'S1')],
    'floats': [('split', 'S3'), ('source', 'S16'), ('start', '<f8'), ('stop', '<f4'), ('indices', REFERENCE),
               ('available', 'u1'), ('comment', 'S1')],
    'words': [('split', h5py.string_dtype()), ('source', h5py.string_dtype('ascii')), ('start', '<u2'), ('stop', '<u8'),
              ('indices', REFERENCE), ('available', '<i4'), ('comment', h5py.string_dtype())],
    'plain': [('split', 'S3'), ('source', 'S16'), ('start', '<i8'), ('stop', '<i8'), ('available', '?')],
    'wrong': [('split', 'S3'), ('source', 'S16'), ('start', 'S8'), ('stop', '<i8'), ('available', '?')],
}


def splits():
    """`split` with members of other types than Fuel writes."""
    for name, dtype in SPLITS.items():
        with h5py.File('split-{}.hdf5'.format(name), 'w') as h5file:
            h5file.create_dataset('x', data=pattern((EXAMPLES,), 'uint8'))
            split(h5file, ['x'], dtype)
    with h5py.File('split-dense.hdf5', 'w', libver='latest') as h5file:
        h5file.create_dataset('x', data=pattern((EXAMPLES,), 'uint8'))
        for i in range(9):
            h5file.attrs['note{}'.format(i)] = i
        split(h5file, ['x'])


def family():
    with h5py.File('family-%d.hdf5', 'w', driver='family', memb_size=1024) as h5file:
        h5file.create_dataset('x', data=pattern((EXAMPLES,), 'uint8'))
        split(h5file, ['x'])


if __name__ == '__main__':
    layouts('layouts.hdf5', 'earliest')
    layouts('layouts-latest.hdf5', 'latest')
    types()
    blosc()
    huge()
    splits()
    family()
