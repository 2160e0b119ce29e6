"""Writes the golden files of this folder with h5py, as Fuel does. Needs h5py and numpy; run it in this folder.

The values are functions of their position, so that the tests can say what should be read without reading it here.
"""
import h5py
import numpy

EXAMPLES = 12
REFERENCE = h5py.special_dtype(ref=h5py.Reference)


def split_array(split_dict, shape=None):
    """H5PYDataset.create_split_array, with scalar numbers or, as Fuel under NumPy 2 gets them, arrays of one number."""
    sources = sorted({source for sources in split_dict.values() for source in sources})
    extra = () if shape is None else (shape,)
    dtype = numpy.dtype([
        ('split', 'S{}'.format(max(len(split) for split in split_dict))),
        ('source', 'S{}'.format(max(len(source) for source in sources))),
        ('start', numpy.int64) + extra,
        ('stop', numpy.int64) + extra,
        ('indices', REFERENCE),
        ('available', bool) + extra,
        ('comment', 'S1'),
    ])
    rows = []
    for split in split_dict:
        for source in sources:
            value = split_dict[split].get(source)
            start, stop, indices = (0, 0, h5py.Reference()) if value is None else (value + (h5py.Reference(),))[:3]
            rows.append((split.encode(), source.encode(), start, stop, indices, value is not None, b'.'))
    array = numpy.empty(len(rows), dtype=dtype)
    for i, row in enumerate(rows):
        array[i] = row
    return array


def counting(shape, dtype):
    return (numpy.arange(numpy.prod(shape)) % 251).reshape(shape).astype(dtype)


def label(dataset, *labels):
    for i, name in enumerate(labels):
        dataset.dims[i].label = name


def fuel():
    """As Fuel's converters write: contiguous, labelled, a split without targets, one by indices."""
    with h5py.File('fuel.hdf5', 'w') as h5file:
        features = h5file.create_dataset('features', data=counting((EXAMPLES, 1, 2, 3), 'uint8'))
        targets = h5file.create_dataset('targets', data=counting((EXAMPLES, 1), 'uint8'))
        label(features, 'batch', 'channel', 'height', 'width')
        label(targets, 'batch', 'index')
        odd = h5file.create_dataset('odd_targets_indices', data=numpy.array([5, 1, 3]))
        h5file.attrs['split'] = split_array({
            'train': {'features': (0, 8), 'targets': (0, 8)},
            'test': {'features': (8, 12)},
            'odd': {'targets': (-1, -1, odd.ref)},
        })
        h5file.attrs['h5py_interface_version'] = b'0.3'
        h5file.attrs['fuel_convert_version'] = b'0.2'
        h5file.attrs['fuel_convert_command'] = b'fuel-convert golden'


def array_members():
    """Numbers of the split attribute as arrays of one element, and a user block before the file."""
    with h5py.File('array-members.hdf5', 'w', userblock_size=512) as h5file:
        h5file.create_dataset('features', data=counting((EXAMPLES, 4), 'float32'))
        h5file.attrs['split'] = split_array({'train': {'features': (0, 9)}, 'test': {'features': (9, 12)}}, (1,))


def latest():
    """Headers of version 2, every element type, chunks, compression, and a split by indices."""
    with h5py.File('latest.hdf5', 'w', libver='latest') as h5file:
        data = counting((EXAMPLES, 5), 'int64') - 3
        for dtype in ('float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'):
            h5file.create_dataset(dtype, data=data.astype(dtype))
        h5file.create_dataset('bool', data=data % 3 == 0)
        h5file.create_dataset('bigendian', data=data.astype('>i4'))
        h5file.create_dataset('compressed', data=data.astype('uint16'), chunks=(5, 2), compression='gzip', shuffle=True)
        h5file.create_dataset('half', data=data.astype('float16'))
        ragged = h5file.create_dataset('ragged', (EXAMPLES,), dtype=h5py.special_dtype(vlen=numpy.dtype('uint8')))
        for i in range(EXAMPLES):
            ragged[i] = numpy.arange(i, dtype='uint8')
        rows = h5file.create_dataset('rows', data=numpy.array([10, 0, 4, 4], dtype='uint16'))
        names = [name for name in h5file if name != 'rows']
        h5file.attrs['split'] = split_array({
            'all': {name: (0, EXAMPLES) for name in names},
            'some': {name: (0, 0, rows.ref) for name in names},
        })


if __name__ == '__main__':
    fuel()
    array_members()
    latest()
