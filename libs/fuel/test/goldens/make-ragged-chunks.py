"""Writes the golden file of ragged sources in chunks with h5py, in this folder. Needs h5py 3 and numpy.

Row i of a source has the shape that `shape(i)` says; its element at position k is `(i * 31 + k * 7) % 251` in its type.
"""
import h5py
import numpy

EXAMPLES = 150
REFERENCE = h5py.special_dtype(ref=h5py.Reference)


def shape(i):
    return ((i * 5) % 7, 1 + i % 3)


def row(i):
    return (i * 31 + numpy.arange(numpy.prod(shape(i), dtype=int)) * 7) % 251


with h5py.File('ragged-chunks.hdf5', 'w', libver='earliest') as f:
    vlen = h5py.vlen_dtype(numpy.dtype('uint16'))
    made = {
        # As h5py chooses chunks where a dataset can grow.
        'automatic': f.create_dataset('automatic', (EXAMPLES,), maxshape=(None,), dtype=vlen),
        # So many chunks that their tree has two levels.
        'single': f.create_dataset('single', (EXAMPLES,), chunks=(1,), dtype=vlen),
        'packed': f.create_dataset('packed', (EXAMPLES,), chunks=(40,), compression='gzip', shuffle=True, dtype=vlen),
        'images': f.create_dataset('images', (EXAMPLES,), chunks=(32,), maxshape=(None,), compression='gzip', dtype=vlen),
    }
    for source in made.values():
        for i in range(EXAMPLES):
            source[i] = row(i).astype('uint16')
    shapes = f.create_dataset('images_shapes', data=numpy.array([shape(i) for i in range(EXAMPLES)]), dtype='int32',
                              chunks=(32, 2), maxshape=(None, 2), compression='gzip')
    shapes.make_scale('shapes')
    made['images'].dims[0].attach_scale(shapes)
    # Only some rows are written, of one in no chunk at all.
    made['part'] = f.create_dataset('part', (EXAMPLES,), chunks=(8,), dtype=vlen)
    made['part'][17] = row(17).astype('uint16')
    made['never'] = f.create_dataset('never', (EXAMPLES,), chunks=(8,), compression='gzip', dtype=vlen)
    made['words'] = f.create_dataset('words', data=['größe ' * (i % 4) + str(i) for i in range(EXAMPLES)],
                                     dtype=h5py.string_dtype(), chunks=(16,), compression='gzip')
    # As the converters of ILSVRC write names.
    made['filenames'] = f.create_dataset('filenames', (EXAMPLES, 1), dtype='S32')
    made['filenames'][...] = numpy.array([[b'n%08d.JPEG' % i] for i in range(EXAMPLES)])
    made['lzf'] = f.create_dataset('lzf', (EXAMPLES,), chunks=(64,), compression='lzf', dtype=vlen)
    array = numpy.zeros(len(made), dtype=[
        ('split', 'S3'), ('source', 'S9'), ('start', '<i8'), ('stop', '<i8'), ('indices', REFERENCE), ('available', '?'),
        ('comment', 'S1')])
    for i, source in enumerate(sorted(made)):
        array[i] = (b'all', source.encode(), 0, EXAMPLES, h5py.Reference(), True, b'.')
    f.attrs['split'] = array
