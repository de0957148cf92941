"""The named sets of handwriting: where each is published, under which licence, and how it is packed."""

from mnistry.data.handwriting import hasy, nist, noisyoffice, omniglot, optdigits, pendigits, unipen, usps
from mnistry.data.handwriting.published import HandwritingSet, Published

UNIPEN = HandwritingSet(
    name="unipen",
    title="digits, letters, signs and words of several hundred writers, as pen strokes",
    homepage="https://zenodo.org/records/1195803",
    licence="CC BY 4.0",
    citation=(
        "I. Guyon, L. Schomaker, R. Plamondon, M. Liberman, S. Janet: UNIPEN project of on-line data "
        "exchange and recognizer benchmarks. International Conference on Pattern Recognition, 1994. Data: "
        "International Unipen Foundation, train_r01_v07, doi:10.5281/zenodo.1195803."
    ),
    files={
        "unipen/digits_strokes.npz": 15_953,
        "unipen/digits_from_words_strokes.npz": 2_323,
        "unipen/letters_strokes.npz": 89_429,
        "unipen/symbols_strokes.npz": 15_701,
        "unipen/words_nodigits_strokes.npz": 6_947,
    },
    # No checksum of it is known to us.
    published=Published(
        "https://zenodo.org/records/1195803/files/unipen-CDROM-train_r01_v07.tgz", most_bytes=500_000_000
    ),
    pack=unipen.pack,
)

PENDIGITS = HandwritingSet(
    name="pendigits",
    title="digits of 44 writers in Turkey, as pen strokes",
    homepage="https://archive.ics.uci.edu/dataset/81/pen+based+recognition+of+handwritten+digits",
    licence="CC BY 4.0",
    citation=(
        "E. Alpaydin, F. Alimoglu: Pen-Based Recognition of Handwritten Digits. UCI Machine Learning "
        "Repository, 1996, doi:10.24432/C5MG6K."
    ),
    files={str(pendigits.FILE): 10_992},
    published=Published(
        "https://archive.ics.uci.edu/static/public/81/pen+based+recognition+of+handwritten+digits.zip",
        most_bytes=4_000_000,
        digest="sha256:1e02bea023613c2b11c9492f6f34caf975420455934f3527d270cee9a1f03b64",
    ),
    pack=pendigits.pack,
)

OPTDIGITS_32 = HandwritingSet(
    name="optdigits-32",
    title="digits of 43 writers in Turkey, scanned, 32×32; the originals of optdigits",
    homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    licence="CC BY 4.0",
    citation=(
        "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI Machine Learning "
        "Repository, 1998, doi:10.24432/C50P49."
    ),
    files={str(optdigits.FILE): 5_620},
    published=Published(
        "https://archive.ics.uci.edu/static/public/80/optical+recognition+of+handwritten+digits.zip",
        most_bytes=4_000_000,
        digest="sha256:0d7b054fea010270e9b3f06411c654c5e59547732ad626381980baffe0a23fb0",
    ),
    pack=optdigits.pack,
)

NIST_CAPITALS = HandwritingSet(
    name="nist-capitals",
    title="capitals of NIST's forms, scanned, 28×28",
    homepage="https://www.nist.gov/srd/nist-special-database-19",
    licence="public domain in the United States",
    citation="P. Grother, K. Hanaoka: NIST Special Database 19, second edition, 2016, doi:10.18434/T4H01C.",
    files={str(nist.FILE): 26 * nist.MOST_OF_A_LETTER},
    published=Published(
        "https://s3.amazonaws.com/nist-srd/SD19/by_class.zip",
        most_bytes=1_200_000_000,
        digest="md5:79572b1694a8506f2b722c7be54130c4",
    ),
    pack=nist.pack,
)

OMNIGLOT = HandwritingSet(
    name="omniglot",
    title="characters of eight alphabets, by 20 people, 105×105",
    homepage="https://github.com/brendenlake/omniglot",
    licence="MIT",
    citation=(
        "B. M. Lake, R. Salakhutdinov, J. B. Tenenbaum: Human-level concept learning through probabilistic "
        "program induction. Science 350(6266), 2015."
    ),
    files={str(omniglot.FILE): 4_840},
    published=Published(
        "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/images_background.zip",
        most_bytes=20_000_000,
        digest="md5:68d2efa1b9178cc56df9314c21c6e718",
    ),
    pack=omniglot.pack,
)

HASY = HandwritingSet(
    name="hasy",
    title="signs of mathematics in 20 classes, 32×32",
    homepage="https://zenodo.org/records/259444",
    licence="ODbL 1.0",
    citation="M. Thoma: The HASYv2 dataset. arXiv:1701.08380, 2017, doi:10.5281/zenodo.259444.",
    files={str(hasy.FILE): len(hasy.CLASSES) * hasy.MOST_OF_A_CLASS},
    published=Published(
        "https://zenodo.org/records/259444/files/HASYv2.tar.bz2",
        most_bytes=40_000_000,
        digest="md5:fddf23f36e24b5236f6b3a0880c778e3",
    ),
    pack=hasy.pack,
)

NOISYOFFICE = HandwritingSet(
    name="noisyoffice",
    title="pages of print, stained, folded and wrinkled",
    homepage="https://archive.ics.uci.edu/dataset/318/noisyoffice",
    licence="CC BY 4.0",
    citation=(
        "M. J. Castro-Bleda, S. España-Boquera, J. Pastor-Pellicer, F. Zamora-Martínez: The NoisyOffice "
        "database: a corpus to train supervised machine learning filters for image processing. The Computer "
        "Journal 63(11), 2020."
    ),
    files={str(noisyoffice.FOLDER): 216},
    # No checksum of it is known to us.
    published=Published(
        "https://archive.ics.uci.edu/static/public/318/noisyoffice.zip", most_bytes=700_000_000
    ),
    pack=noisyoffice.pack,
)

_LIBSVM = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"

USPS = HandwritingSet(
    name="usps",
    title="digits of envelopes, scanned by the US Postal Service, 16×16",
    homepage="https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps",
    licence="none stated",
    citation=(
        "J. J. Hull: A database for handwritten text recognition research. IEEE Transactions on Pattern "
        "Analysis and Machine Intelligence 16(5), 1994."
    ),
    files={str(usps.FILE): 9_298},
    published=Published(
        f"{_LIBSVM}usps.bz2", most_bytes=10_000_000, digest="md5:ec16c51db3855ca6c91edd34d0e9b197"
    ),
    pack=usps.pack,
    more=(
        Published(
            f"{_LIBSVM}usps.t.bz2", most_bytes=10_000_000, digest="md5:8ea070ee2aca1ac39742fdd1ef5ed118"
        ),
    ),
)

PAGE_SETS = {
    entry.name: entry
    for entry in (UNIPEN, PENDIGITS, OPTDIGITS_32, NIST_CAPITALS, OMNIGLOT, HASY, NOISYOFFICE)
}
"""What pages are drawn with."""
SETS = PAGE_SETS | {USPS.name: USPS}
