"""Makes images.json: files of images, and what Pillow 12.3 makes of them. Run it with Pillow and NumPy; sizes are (height, width), arrays are
(channel, height, width) in base64."""
import base64
import io
import json
import math
import os

import numpy
from PIL import Image


def array(image):
    pixels = numpy.asarray(image)
    pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return {
        "dtype": str(pixels.dtype),
        "shape": list(pixels.shape),
        "data": base64.b64encode(numpy.ascontiguousarray(pixels).tobytes()).decode(),
    }


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return base64.b64encode(stream.getvalue()).decode()


random = numpy.random.RandomState(3)
noise = Image.fromarray(random.randint(0, 256, (7, 5, 3)).astype("uint8"))
rows, columns = numpy.mgrid[0:24, 0:40]
smooth = Image.fromarray(
    numpy.stack([rows * 10, columns * 6, 128 + 100 * numpy.sin(rows / 5 + columns / 7)], axis=2).astype("uint8")
)
clear = noise.convert("RGBA")
clear.putalpha(Image.fromarray(random.randint(0, 256, (7, 5)).astype("uint8")))
files = {
    "png": (noise, "PNG", {}),
    "grey png": (noise.convert("L"), "PNG", {}),
    "png with transparency": (clear, "PNG", {}),
    "png with a palette": (noise.quantize(16), "PNG", {}),
    "jpeg": (smooth, "JPEG", {"quality": 95, "subsampling": 0}),
    "jpeg with subsampling": (smooth, "JPEG", {"quality": 75}),
    "grey jpeg": (smooth.convert("L"), "JPEG", {"quality": 90}),
}
decoded = []
for name, (image, kind, options) in files.items():
    file = encoded(image, kind, **options)
    read = Image.open(io.BytesIO(base64.b64decode(file)))
    decoded.append({"name": name, "file": file, "RGB": array(read.convert("RGB")), "L": array(read.convert("L"))})

filters = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
grey = Image.fromarray(random.normal(0, 100, (6, 9)).astype("float32"))
resized = [
    {"size": [height, width], "resample": name, "image": array(image), "is": array(image.resize((width, height), value))}
    for image in (noise, grey)
    for name, value in filters.items()
    for height, width in ((7, 11), (14, 10), (9, 5), (3, 4), (31, 17))
]
turned = [
    {"angle": angle, "resample": name, "image": array(image), "is": array(image.rotate(math.degrees(angle), filters[name]))}
    for image in (noise, smooth, grey)
    for name in ("nearest", "bilinear")
    for angle in (0.0, 0.3, -1.1, 2.5, math.pi / 2, math.pi)
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "images.json"), "w") as out:
    json.dump({"decoded": decoded, "resized": resized, "turned": turned}, out, indent=0)
