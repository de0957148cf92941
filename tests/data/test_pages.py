"""Documents: each page is a picture; what is hostile or damaged is refused within bounds."""

import io
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, features

from mnistry.data.decode import open_picture
from mnistry.data.pages import MOST_PAGES, find_pages, pages
from mnistry.errors import InvalidValueError, PictureError, PictureFormatError, PictureSizeError

BlankPdf = Callable[..., bytes]


def page(ink: int = 0) -> Image.Image:
    """A block of ink in the upper left part of a page."""
    image = Image.new("L", (60, 40), 255)
    ImageDraw.Draw(image).rectangle((10, 10, 20, 20), fill=ink)
    return image


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image, np.float32) / 255


def encoded(form: str, *images: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    several = {"save_all": True, "append_images": images[1:]} if images[1:] else {}
    images[0].save(file, form, **several, **options)
    return file.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return file.getvalue()


def said(content: bytes) -> str:
    """Why a document, or its first page, is refused."""
    with pytest.raises(PictureError) as caught:
        open_picture(pages(io.BytesIO(content))[0])
    return str(caught.value)


# ---------------------------------------------------------------- what is in them


@pytest.mark.parametrize("as_path", [True, False])
def test_the_pages_of_a_pdf(as_path: bool, tmp_path: Path) -> None:
    content = encoded("PDF", page(0), page(100), page(200), resolution=100)
    (tmp_path / "three.pdf").write_bytes(content)
    found = pages(tmp_path / "three.pdf" if as_path else io.BytesIO(content), dpi=100)
    assert [(one.number, one.name, one.dpi) for one in found] == [(n, None, 100) for n in (1, 2, 3)]
    assert str(found[2]) == (f"{tmp_path / 'three.pdf'}, page 3" if as_path else "document, page 3")
    for one, ink in zip(found, (0, 100, 200), strict=True):
        decoded = open_picture(one)
        np.testing.assert_allclose(decoded.grey[14:17, 14:17], ink / 255, atol=0.05)
        np.testing.assert_allclose(decoded.grey[25:38, 25:55], 1, atol=0.05)
        assert (decoded.scale, decoded.notes) == (1, ())
        assert decoded.size == pytest.approx((60, 40), abs=1)


def test_the_resolution_of_a_pdf() -> None:
    content = encoded("PDF", page(), resolution=100)  # 0.6 by 0.4 inches
    for dpi, size in ((200, (120, 80)), (1000, (600, 400))):
        (one,) = pages(io.BytesIO(content), dpi=dpi)
        assert open_picture(one).size == pytest.approx(size, abs=1)
    smaller = open_picture(one, longest_side=60)
    assert max(smaller.grey.shape) == 60
    assert smaller.size == pytest.approx((600, 400), abs=1)
    assert smaller.scale == pytest.approx(0.1, abs=1e-3)
    for dpi in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InvalidValueError, match="`dpi` must be more than 0"):
            pages(io.BytesIO(content), dpi=dpi)


def test_what_is_filled_into_the_fields_of_a_pdf(blank_pdf: BlankPdf) -> None:
    look = (
        "<</Type/XObject/Subtype/Form/BBox[0 0 50 50]/Length 24>>stream\n0 0 0 rg 0 0 50 50 re f \nendstream"
    )
    field = (
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(7)/F 4/Rect[20 20 70 70]/P 3 0 R"
        "/DR<<>>/DA(/Helv 9 Tf 0 g)/AP<</N 5 0 R>>>>"
    )
    content = blank_pdf(1, 100, 100).decode()
    content = content.replace("/Pages 2 0 R", "/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>")
    content = content.replace("100]>>", "100]/Annots[4 0 R]>>")
    content = content.replace("xref\n0 4", f"4 0 obj{field}endobj\n5 0 obj{look}endobj\nxref\n0 4")
    (one,) = pages(io.BytesIO(content.encode()), dpi=72)
    grey = open_picture(one).grey
    assert grey[40:70, 30:60].max() < 0.1
    assert grey[:20].min() > 0.9


def test_the_pages_of_a_tiff() -> None:
    content = encoded("TIFF", page(0), page(100))
    found = pages(io.BytesIO(content))
    assert [one.number for one in found] == [1, 2]
    for one, ink in zip(found, (0, 100), strict=True):
        decoded = open_picture(one)
        np.testing.assert_array_equal(decoded.grey, levels(page(ink)))
        assert not decoded.notes


def test_a_small_version_of_a_page_is_no_page() -> None:
    small = Image.new("L", (6, 4), 255)
    small.encoderinfo = {"tiffinfo": {254: 1}}
    assert find_pages(io.BytesIO(encoded("TIFF", page(), small))) is None
    found = find_pages(io.BytesIO(encoded("TIFF", page(), small, page(100))))
    assert found
    assert [one.index for one in found.pages] == [0, 2]
    np.testing.assert_array_equal(open_picture(found.pages[1]).grey, levels(page(100)))


def test_the_pictures_of_an_archive() -> None:
    content = archive(
        {
            "b/": b"",
            "b/two.png": encoded("PNG", page(100)),
            "a/one.JPG": encoded("JPEG", page(0), quality=95),
            "__MACOSX/a/._one.JPG": b"litter",
            "form.pdf": encoded("PDF", page()),
            "list.txt": b"x",
        }
    )
    found = find_pages(io.BytesIO(content))
    assert found
    assert [(one.number, one.name) for one in found.pages] == [(1, "a/one.JPG"), (2, "b/two.png")]
    assert str(found.pages[1]) == "document, b/two.png"
    (note,) = found.notes
    assert note.startswith("2 skipped: form.pdf (a PDF")
    for one, ink in zip(found.pages, (0, 100), strict=True):
        np.testing.assert_allclose(open_picture(one).grey, levels(page(ink)), atol=0.1)


@pytest.mark.parametrize("form", ["PNG", "GIF", "TIFF", "JPEG"])
def test_a_picture_is_its_own_only_page(form: str, tmp_path: Path) -> None:
    content = encoded(form, page())
    (tmp_path / "one").write_bytes(content)
    for file in (tmp_path / "one", str(tmp_path / "one"), io.BytesIO(content)):
        assert find_pages(file) is None
        (one,) = pages(file)
        assert one.number == 1
        np.testing.assert_allclose(open_picture(one).grey, levels(page()), atol=0.2)
    assert find_pages(io.BytesIO(encoded("GIF", page(), page(100)))) is None  # frames are no pages


def test_a_document_in_place_of_a_picture() -> None:
    decoded = open_picture(io.BytesIO(encoded("PDF", page(), page(100), resolution=200)))
    assert decoded.notes == ("the first of 2 pages was read",)
    np.testing.assert_allclose(decoded.grey[14:17, 14:17], 0, atol=0.05)
    with pytest.raises(PictureFormatError, match="this is a ZIP archive, not a picture"):
        open_picture(io.BytesIO(archive({"one.png": encoded("PNG", page())})))


# ---------------------------------------------------------------- pictures by further libraries


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif() -> None:
    large = page().resize((600, 400), Image.Resampling.NEAREST)
    decoded = open_picture(io.BytesIO(encoded("AVIF", large, quality=95)), longest_side=300)
    assert decoded.grey.shape == (200, 300)
    np.testing.assert_allclose(decoded.grey[55:95, 55:95], 0, atol=0.1)


def test_heic() -> None:
    import pillow_heif

    file = io.BytesIO()
    large = page().resize((600, 400), Image.Resampling.NEAREST).convert("RGB")
    pillow_heif.from_pillow(large).save(file, quality=90)
    decoded = open_picture(io.BytesIO(file.getvalue()), longest_side=300)
    assert (decoded.grey.shape, decoded.size, decoded.notes) == ((200, 300), (600, 400), ())
    np.testing.assert_allclose(decoded.grey[55:95, 55:95], 0, atol=0.1)
    with pytest.raises(PictureSizeError, match="600×400 pixels; at most 100,000"):
        open_picture(io.BytesIO(file.getvalue()), most_pixels=100_000)
    assert "damaged" in said(file.getvalue()[: len(file.getvalue()) // 2])


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {}</svg>'


def test_svg() -> None:
    drawing = SVG.format('viewBox="0 0 60 40"><rect x="10" y="10" width="11" height="11"/>')
    for text in (drawing, '<?xml version="1.0"?>\n<!-- made by hand -->\n' + drawing, "\ufeff" + drawing):
        decoded = open_picture(io.BytesIO(text.encode()), longest_side=600)
        assert decoded.grey.shape == (400, 600)
        np.testing.assert_array_equal(decoded.grey[105:200, 105:200], 0)
        np.testing.assert_array_equal(decoded.grey[220:], 1)
    assert open_picture(io.BytesIO(drawing.encode())).size == (2048, 1366)


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ('width="9"><path', "the SVG drawing is damaged"),
        ('width="0" height="0">', "the SVG drawing is damaged"),
        ('width="9" height="9"><image href="{}"/>', "shows another file, '/.*secret"),
        ('width="9" height="9"><image xlink:href=" {}"/>', "shows another file"),
        ('width="9" height="9"><filter><feImage href="file://{}"/></filter>', "shows another file"),
        (
            'width="9" height="9">&#60;image href="x"/&#62;<image href="&#47;x.png"/>',
            "shows another file, '/x",
        ),
    ],
)
def test_svgs_that_are_refused(inside: str, message: str, tmp_path: Path) -> None:
    page().save(tmp_path / "secret.png")
    content = SVG.format(inside.replace("{}", str(tmp_path / "secret.png"))).encode()
    with pytest.raises(PictureError, match=message):
        open_picture(io.BytesIO(content))


def test_an_svg_that_tells_of_itself_by_entities() -> None:
    head = '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY shown "{}">]>'
    inside = 'width="9" height="9">&shown;'
    hidden = head.format("&#60;image href='/etc/x.png'/>") + SVG.format(inside)
    with pytest.raises(PictureError, match=r"shows another file, '/etc/x\.png'"):
        open_picture(io.BytesIO(hidden.encode()))
    lol = '<!DOCTYPE svg [<!ENTITY a "' + "x" * 1000 + '">'
    for one, other in zip("abcdefg", "bcdefgh", strict=True):
        lol += f'<!ENTITY {other} "{f"&{one};" * 20}">'
    start = time.monotonic()
    with pytest.raises(PictureError, match=r"damaged|takes longer"):
        open_picture(io.BytesIO((lol + "]>" + SVG.format('width="9" height="9"><text>&h;</text>')).encode()))
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("library", "what", "content"),
    [
        ("pypdfium2", "a PDF", b"%PDF-1.7\n1 0 obj"),
        ("pillow_heif", "a HEIC photo", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
        ("resvg_py", "an SVG drawing", SVG.format(">").encode()),
    ],
)
def test_without_the_library(
    library: str, what: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnistry.pixels.contents import contents
    from mnistry.pixels.unpack import unpack

    monkeypatch.setitem(sys.modules, library, None)
    expected = rf"this is {what}; to read it needs .* not installed: pip install 'mnistry\[documents\]'"
    with pytest.raises(PictureFormatError, match=expected):
        unpack(io.BytesIO(content), None, 1000)
    if library == "pypdfium2":
        with pytest.raises(PictureFormatError, match=expected):
            contents(io.BytesIO(content), 10)


# ---------------------------------------------------------------- hostile and damaged ones


def test_documents_of_too_many_pages(blank_pdf: BlankPdf) -> None:
    start = time.monotonic()
    assert "has 10,000 pages; at most 1,000 are read. Save those" in said(blank_pdf(10_000))
    small = Image.new("1", (1, 1))
    many = encoded("TIFF", *[small] * (MOST_PAGES + 2))
    assert "has more than 1,000 pages; at most 1,000 are read" in said(many)
    files = {f"{number}.png": b"" for number in range(MOST_PAGES + 1)}
    assert "has 1,001 pages; at most 1,000" in said(archive(files))
    assert time.monotonic() - start < 30
    with pytest.raises(PictureSizeError, match="has 3 pages; at most 2"):
        find_pages(io.BytesIO(blank_pdf(3)), most_pages=2)
    assert len(pages(io.BytesIO(blank_pdf(MOST_PAGES)))) == MOST_PAGES


def test_a_count_of_pages_that_is_a_lie(blank_pdf: BlankPdf) -> None:
    for count in ("2147483647", "99999999999", "-5"):
        content = blank_pdf(2).replace(b"/Count 2", f"/Count {count}".encode())
        assert len(pages(io.BytesIO(content))) == 2


def test_a_page_of_too_many_pixels(blank_pdf: BlankPdf) -> None:
    message = said(blank_pdf(1, 14_400, 14_400))
    assert "at 200 dots an inch the page has 40000×40000 pixels; at most 50,000,000 are read" in message
    assert "`dpi=35`" in message
    (one,) = pages(io.BytesIO(blank_pdf(1, 14_400, 14_400)), dpi=35)
    assert open_picture(one, longest_side=512).grey.shape == (512, 512)
    assert "pixels" in said(blank_pdf(1, 1e9, 1e9))


def test_pdfs_that_cannot_be_read(blank_pdf: BlankPdf) -> None:
    locked = (
        f"/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4/O<{'41' * 32}>/U<{'42' * 32}>>>/ID[<41><41>]"
    )
    assert "protected by a password; save it without one" in said(blank_pdf(1, more=locked))
    whole = encoded("PDF", page(), page())
    assert "the PDF is damaged" in said(whole[: len(whole) // 4])
    assert "the PDF is damaged" in said(b"%PDF-1.7\n")
    assert "no pages" in said(blank_pdf(0)) or "damaged" in said(blank_pdf(0))


def test_a_page_that_takes_long_to_draw(blank_pdf: BlankPdf) -> None:
    drawing = zlib.compress(b"0 0 595 842 re f\n" * 2_000_000)
    stream = b"4 0 obj<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream endobj\n" % (
        len(drawing),
        drawing,
    )
    content = (
        blank_pdf().replace(b"842]>>", b"842]/Contents 4 0 R>>").replace(b"xref\n0 4", stream + b"xref\n0 4")
    )
    (one,) = pages(io.BytesIO(content))
    start = time.monotonic()
    with pytest.raises(PictureSizeError, match="takes longer than 4 seconds"):
        open_picture(one, longest_side=2048, deadline=start + 1)
    assert time.monotonic() - start < 30


def test_a_damaged_page_leaves_the_others(blank_pdf: BlankPdf) -> None:
    content = blank_pdf(3).replace(b"4 0 obj<</Type/Page/", b"4 0 obj<</Type/Pork/")
    first, second, third = pages(io.BytesIO(content))
    assert open_picture(first).grey.min() == open_picture(third).grey.min() == 1
    with pytest.raises(PictureError, match="the PDF is damaged"):
        open_picture(second)
    chain = bytearray(encoded("TIFF", page(), page(), page()))
    at = chain.rindex(b"\x00\x01\x04\x00\x01\x00\x00\x00\x3c\x00\x00\x00")  # the width of the last
    chain[at + 8 : at + 12] = b"\0\0\0\0"
    found = pages(io.BytesIO(bytes(chain)))
    assert len(found) == 3
    np.testing.assert_array_equal(open_picture(found[1]).grey, levels(page()))
    with pytest.raises(PictureError, match="is empty: it has 0×40 pixels"):
        open_picture(found[2])


def test_archives_that_cannot_be_read() -> None:
    assert "no pictures in this archive" in said(archive({"a.txt": b"x"}))
    assert "1 skipped: a.txt" in said(archive({"a.txt": b"x"}))
    assert "no pictures in this archive" in said(archive({}))
    assert "save it as PDF" in said(archive({"[Content_Types].xml": b"x", "image.png": b"x"}))
    whole = archive({"one.png": encoded("PNG", page())})
    assert "archive is damaged" in said(whole[:-30])
    torn = bytearray(whole)
    torn[60:90] = bytes(30)
    assert "damaged in its archive" in said(bytes(torn))
    locked = bytearray(whole)
    locked[6] |= 1
    locked[locked.index(b"PK\1\2") + 8] |= 1
    assert "cannot be unpacked" in said(bytes(locked))


def test_an_archive_that_unpacks_to_too_much() -> None:
    start = time.monotonic()
    bomb = archive({"one.bmp": bytes(201_000_000), "two.png": encoded("PNG", page())})
    assert len(bomb) < 1_000_000
    first, second = pages(io.BytesIO(bomb))
    with pytest.raises(PictureSizeError, match="more than the 200 MB that are read"):
        open_picture(first)
    np.testing.assert_array_equal(open_picture(second).grey, levels(page()))
    assert time.monotonic() - start < 30


def test_a_document_that_has_gone_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "two.pdf"
    path.write_bytes(encoded("PDF", page(), page()))
    _, second = pages(path)
    path.write_bytes(encoded("PDF", page()))
    with pytest.raises(PictureError, match="has 1 pages, and none of the number 2"):
        open_picture(second)
    path.unlink()
    with pytest.raises(PictureError, match="No such file"):
        open_picture(second)
