"""Makes jpegs.json: JPEG files of all kinds that Pillow 12.3 writes, and of some that it does not, in base64 by name. Run it with Pillow and NumPy."""
import base64
import io
import json
import os

import numpy
from PIL import Image

files = {}


def pixels(height, width, channels=3):
    y, x = numpy.mgrid[0:height, 0:width]
    waves = [numpy.sin(y / (5 + channel)) + numpy.cos(x / (7 - channel)) for channel in range(channels)]
    noise = numpy.random.RandomState(height * width).normal(0, 20, (height, width, channels))
    return (127 + 60 * numpy.stack(waves, axis=2) + noise).clip(0, 255).astype("uint8")


def written(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return bytearray(file.getvalue())


def add(name, file):
    files[name] = base64.b64encode(file).decode()


for height, width in [(1, 1), (8, 8), (9, 17), (33, 15), (40, 64)]:
    size = f"{height} x {width}"
    image = Image.fromarray(pixels(height, width))
    for subsampling in ["4:4:4", "4:2:2", "4:2:0"]:
        add(f"{subsampling}, {size}", written(image, subsampling=subsampling, quality=85))
    add(f"coarse, {size}", written(image, quality=3))
    add(f"fine, {size}", written(image, quality=100, subsampling="4:4:4"))
    add(f"optimized, {size}", written(image, optimize=True))
    add(f"restart markers, {size}", written(image, restart_marker_blocks=2))
    add(f"grey, {size}", written(image.convert("L"), quality=70))
    add(f"progressive, {size}", written(image, progressive=True))
    add(f"red, green and blue, {size}", written(image, keep_rgb=True, subsampling="4:4:4"))
    add(f"CMYK, {size}", written(Image.fromarray(pixels(height, width, 4), "CMYK")))

square = Image.fromarray(pixels(32, 32))
add("a profile and a comment", written(square, icc_profile=bytes(range(256)) * 5, comment=b"hello"))
exif = Image.Exif()
exif[0x0112] = 6
add("lying on its side", written(square, exif=exif))
# Pillow writes none of these: the blocks of such a file in another order.
for subsampling, name in [("4:2:2", {0x12: "4:4:0"}), ("4:2:0", {0x41: "4:1:1", 0x14: "4:4:1"})]:
    for factors, wanted in name.items():
        file = written(square, subsampling=subsampling)
        file[file.index(b"\xff\xc0") + 11] = factors
        add(wanted, file)

with open(os.path.join(os.path.dirname(__file__), "jpegs.json"), "w") as file:
    file.write(json.dumps(files, indent=2) + "\n")
