"""Writes the golden files of ragged sources with h5py, in this folder. Needs h5py 3 and numpy.

Row i of a source has the shape that `shape(i)` says; its element at position k is `(i * 31 + k * 7) % 251` in its type.
"""
import h5py
import numpy

EXAMPLES = 13
REFERENCE = h5py.special_dtype(ref=h5py.Reference)
WORDS = ['', 'a', 'größe', 'word' * 300, 'tail ']


def shape(i):
    return ((i * 5) % 7, 1 + i % 3)


def row(i, dtype):
    size = numpy.prod(shape(i), dtype=int)
    return ((i * 31 + numpy.arange(size) * 7) % 251).astype(dtype).reshape(shape(i))


def split(h5file, names):
    array = numpy.zeros(2 * len(names), dtype=[
        ('split', 'S4'), ('source', 'S16'), ('start', '<i8'), ('stop', '<i8'), ('indices', REFERENCE), ('available', '?'),
        ('comment', 'S1')])
    for i, (name, which) in enumerate((name, which) for which in ('all', 'some') for name in names):
        start, stop = (0, EXAMPLES) if which == 'all' else (2, 9)
        array[i] = (which.encode(), name.encode(), start, stop, h5py.Reference(), True, b'.')
    h5file.attrs['split'] = array


def documented():
    """A source of images of several sizes, made with the calls of Fuel's documentation of variable-length data, in their order."""
    with h5py.File('ragged-fuel.hdf5', 'w') as f:
        dtype = h5py.special_dtype(vlen=numpy.dtype('uint8'))
        vector = f.create_dataset('vector_features', (90, 10), dtype='float32')
        features = f.create_dataset('image_features', (100,), dtype=dtype)
        targets = f.create_dataset('targets', (100, 1), dtype='uint8')
        sizes = [(3, 3 + i % 5, 2 + i % 4) for i in range(100)]
        features[...] = [numpy.full(size, i, dtype='uint8').flatten() + numpy.arange(numpy.prod(size), dtype='uint8')
                         for i, size in enumerate(sizes)]
        targets[...] = numpy.arange(100, dtype='uint8').reshape(100, 1) % 10
        vector[...] = 1
        features.dims[0].label = 'batch'
        targets.dims[0].label = 'batch'
        targets.dims[1].label = 'index'
        shapes = f.create_dataset('image_features_shapes', (100, 3), dtype='int32')
        shapes[...] = numpy.array(sizes)
        shapes.make_scale('shapes')
        features.dims[0].attach_scale(shapes)
        labels = f.create_dataset('image_features_shape_labels', (3,), dtype='S7')
        labels[...] = ['channel'.encode('utf8'), 'height'.encode('utf8'), 'width'.encode('utf8')]
        labels.make_scale('shape_labels')
        features.dims[0].attach_scale(labels)
        array = numpy.empty(4, dtype=numpy.dtype([
            ('split', 'S5'), ('source', 'S14'), ('start', numpy.int64), ('stop', numpy.int64), ('indices', REFERENCE), ('available', bool),
            ('comment', 'S1')]))
        for i, (which, source, start, stop) in enumerate([
                ('train', 'image_features', 0, 90), ('train', 'targets', 0, 90), ('test', 'image_features', 90, 100),
                ('test', 'targets', 90, 100)]):
            array[i] = (which.encode(), source.encode(), start, stop, h5py.Reference(), True, b'.')
        f.attrs['split'] = array


def types(name, libver):
    """Elements of every type, with shapes of several integers, without shapes, in chunks, and texts."""
    with h5py.File(name, 'w', libver=libver) as f:
        names = []
        for dtype, of_shapes in (('uint8', 'int32'), ('int16', 'uint16'), ('int32', '>i4'), ('int64', 'int64'),
                                 ('float32', 'uint32'), ('float64', 'int8'), ('>f4', 'int32'), ('bool', 'int32')):
            source = 'big' if dtype == '>f4' else dtype
            made = f.create_dataset(source, (EXAMPLES,), dtype=h5py.vlen_dtype(numpy.dtype(dtype)))
            for i in range(EXAMPLES):
                made[i] = row(i, dtype).flatten()
            shapes = f.create_dataset('shapes of ' + source, dtype=of_shapes, data=[shape(i) for i in range(EXAMPLES)])
            shapes.make_scale('shapes')
            made.dims[0].attach_scale(shapes)
            names.append(source)
        chunked = f.create_dataset('chunked', (EXAMPLES,), maxshape=(None,), dtype=h5py.vlen_dtype(numpy.dtype('uint8')))
        plain = f.create_dataset('vectors', (EXAMPLES,), dtype=h5py.vlen_dtype(numpy.dtype('uint16')))
        large = f.create_dataset('large', (EXAMPLES,), dtype=h5py.vlen_dtype(numpy.dtype('uint8')))
        matrix = f.create_dataset('matrix', (EXAMPLES, 2), dtype=h5py.vlen_dtype(numpy.dtype('uint8')))
        f.create_dataset('never', (EXAMPLES,), dtype=h5py.vlen_dtype(numpy.dtype('uint8')))
        for i in range(EXAMPLES):
            chunked[i] = plain[i] = row(i, 'uint16').flatten()
            large[i] = numpy.full(5000 * (i % 3), i, dtype='uint8')
            matrix[i] = numpy.array([numpy.arange(1), numpy.arange(2)], dtype=object)
        texts = [WORDS[i % 5] for i in range(EXAMPLES)]
        f.create_dataset('words', data=texts, dtype=h5py.string_dtype())
        f.create_dataset('fixed', data=[text[:9].encode() for text in texts], dtype='S9')
        f.create_dataset('packed', data=[text[:9].encode() for text in texts], dtype='S9', chunks=(4,), compression='gzip')
        split(f, names + ['chunked', 'vectors', 'large', 'matrix', 'never', 'words', 'fixed', 'packed'])


if __name__ == '__main__':
    documented()
    types('ragged.hdf5', 'earliest')
    types('ragged-latest.hdf5', 'latest')
