"""The named data sets: where each is published, and how its files are told from others.

Every checksum was published by the data set's makers or by somebody who checked their files against it.
Only the SHA-256 of the content tells a file that was compressed anew from a wrong one; where nobody
published it, the checksum of the compressed file can still confirm the published one.
"""

from dataclasses import dataclass

from mnistry.data.dataset import DIGITS, SIDE

LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
LABEL_TABLE_BYTES = 8 * 4
"""Of each line of QMNIST's tables of labels: eight numbers of 32 bits."""


@dataclass(frozen=True)
class File:
    """One IDX file, published as `NAME.gz`.

    Attributes:
        name: the name without `.gz`.
        sha256: SHA-256 of the uncompressed content, or None if nobody published it.
        packed_sha256: SHA-256 of the published `.gz`, or None.
    """

    name: str
    sha256: str | None = None
    packed_sha256: str | None = None


@dataclass(frozen=True)
class Archive:
    """A ZIP file in which a data set's files are published together.

    Attributes:
        name: its file name.
        sha256: its SHA-256.
        folder: the folder inside it that holds the files, each as `NAME.gz`.
        most_bytes: no more of it is downloaded.
    """

    name: str
    sha256: str
    folder: str
    most_bytes: int = 600_000_000


@dataclass(frozen=True)
class Entry:
    """A named data set.

    Attributes:
        name: as given to `load`.
        title: what it shows, in a few words.
        counts: how many examples there must be for training and for testing.
        files: training images and labels, test images and labels; none if it comes with a library, or is
            made of a set of handwriting.
        mirrors: addresses to download from, in order; a file's name is appended.
        class_names: names for people; the index is the label.
        archive: what the mirrors hold in place of the files, if so.
        transposed: the images are stored with rows and columns exchanged; reading undoes it.
        first_label: the number of the first class in the files; it becomes 0.
        made_of: the name of the set of handwriting that it is made of; see `mnistry.data.handwriting`. Its
            counts are not insisted on.
    """

    name: str
    title: str
    homepage: str
    licence: str
    citation: str
    counts: tuple[int, int]
    files: tuple[File, ...] = ()
    mirrors: tuple[str, ...] = ()
    class_names: tuple[str, ...] = DIGITS
    archive: Archive | None = None
    transposed: bool = False
    first_label: int = 0
    made_of: str = ""

    def most_bytes(self, file: File) -> int:
        """No published form of one of the files is longer: its content not compressed, and a little."""
        examples = self.counts[self.files.index(file) // 2]
        each = SIDE * SIDE if "images" in file.name else LABEL_TABLE_BYTES if "idx2" in file.name else 1
        return examples * each * 101 // 100 + 1000


MNIST = Entry(
    name="mnist",
    title="handwritten digits of census staff and high-school students",
    homepage="http://yann.lecun.com/exdb/mnist/",
    licence="CC BY-SA 3.0",
    citation=(
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11), 1998."
    ),
    counts=(60_000, 10_000),
    files=(
        File(
            "train-images-idx3-ubyte",
            sha256="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        File(
            "train-labels-idx1-ubyte",
            sha256="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        File(
            "t10k-images-idx3-ubyte",
            sha256="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        File(
            "t10k-labels-idx1-ubyte",
            sha256="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ),
)

FASHION_MNIST = Entry(
    name="fashion-mnist",
    title="articles of clothing from a shop's catalogue",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    licence="MIT",
    citation=(
        "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine "
        "learning algorithms. arXiv:1708.07747, 2017."
    ),
    counts=(60_000, 10_000),
    files=(
        File(
            "train-images-idx3-ubyte",
            sha256="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        File(
            "train-labels-idx1-ubyte",
            sha256="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        File(
            "t10k-images-idx3-ubyte",
            sha256="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        File(
            "t10k-labels-idx1-ubyte",
            sha256="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    mirrors=(
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
)

KMNIST = Entry(
    name="kmnist",
    title="cursive Japanese characters from old books",
    homepage="https://codh.rois.ac.jp/kmnist/",
    licence="CC BY-SA 4.0",
    citation=(
        "T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto, D. Ha: Deep learning for "
        "classical Japanese literature. arXiv:1812.01718, 2018."
    ),
    counts=(60_000, 10_000),
    files=(
        File(
            "train-images-idx3-ubyte",
            packed_sha256="51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        ),
        File(
            "train-labels-idx1-ubyte",
            packed_sha256="e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        ),
        File(
            "t10k-images-idx3-ubyte",
            packed_sha256="edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        ),
        File(
            "t10k-labels-idx1-ubyte",
            packed_sha256="20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        ),
    ),
    mirrors=(
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    ),
    class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
)

EMNIST_DIGITS = Entry(
    name="emnist-digits",
    title="280,000 handwritten digits of NIST's collection, as many of each class",
    homepage="https://www.nist.gov/itl/products-and-services/emnist-dataset",
    licence="none stated; NIST asks to cite the paper",
    citation=(
        "G. Cohen, S. Afshar, J. Tapson, A. van Schaik: EMNIST: extending MNIST to handwritten letters. "
        "International Joint Conference on Neural Networks, 2017."
    ),
    counts=(240_000, 40_000),
    files=(
        File(
            "emnist-digits-train-images-idx3-ubyte",
            sha256="0fd17ca7bc21f8a10f68356f3c60e9c36ef287895394791ecd051c7a15ea4acd",
        ),
        File(
            "emnist-digits-train-labels-idx1-ubyte",
            sha256="86013a4b932e35477a90ecff239cf492643795cf3c68dd6b7fae3264fb24316b",
        ),
        File(
            "emnist-digits-test-images-idx3-ubyte",
            sha256="3075fed46264a655192bd2ac1dafba8ce0c5184802d74acd0a123e25daa15c50",
        ),
        File(
            "emnist-digits-test-labels-idx1-ubyte",
            sha256="a456cc5cfc928851403b513f94937b9d7570f424ea6d56dce3b28f6c0723608a",
        ),
    ),
    mirrors=(
        "https://biometrics.nist.gov/cs_links/EMNIST/",
        "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
    ),
    archive=Archive(
        "gzip.zip", "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e", folder="gzip"
    ),
    transposed=True,
)

EMNIST_LETTERS = Entry(
    name="emnist-letters",
    title="145,600 handwritten letters of NIST's collection, capitals and small ones as one class",
    homepage=EMNIST_DIGITS.homepage,
    licence=EMNIST_DIGITS.licence,
    citation=EMNIST_DIGITS.citation,
    counts=(124_800, 20_800),
    # Nobody published checksums of these; that of the archive is compared when it is downloaded.
    files=(
        File("emnist-letters-train-images-idx3-ubyte"),
        File("emnist-letters-train-labels-idx1-ubyte"),
        File("emnist-letters-test-images-idx3-ubyte"),
        File("emnist-letters-test-labels-idx1-ubyte"),
    ),
    mirrors=EMNIST_DIGITS.mirrors,
    class_names=LETTERS,
    archive=EMNIST_DIGITS.archive,
    transposed=True,
    first_label=1,
)

QMNIST = Entry(
    name="qmnist",
    title="MNIST rebuilt from its sources, with all 60,000 test digits and every writer",
    homepage="https://github.com/facebookresearch/qmnist",
    licence="BSD 3-Clause",
    citation=(
        "C. Yadav, L. Bottou: Cold case: the lost MNIST digits. Advances in Neural Information "
        "Processing Systems 32, 2019."
    ),
    counts=(60_000, 60_000),
    files=(
        File(
            "qmnist-train-images-idx3-ubyte",
            packed_sha256="9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d",
        ),
        File(
            "qmnist-train-labels-idx2-int",
            packed_sha256="2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f",
        ),
        File(
            "qmnist-test-images-idx3-ubyte",
            packed_sha256="43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375",
        ),
        File(
            "qmnist-test-labels-idx2-int",
            packed_sha256="9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06",
        ),
    ),
    mirrors=(
        "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
        "https://github.com/facebookresearch/qmnist/raw/main/",
    ),
)

OPTDIGITS = Entry(
    name="optdigits",
    title="1,797 handwritten digits that come with scikit-learn; needs no download",
    homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    licence="CC BY 4.0",
    citation=(
        "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. "
        "UCI Machine Learning Repository, 1998."
    ),
    counts=(1_437, 360),
)

USPS = Entry(
    name="usps",
    title="digits of envelopes, scanned by the US Postal Service (16×16)",
    homepage="https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps",
    licence="none stated",
    citation=(
        "J. J. Hull: A database for handwritten text recognition research. IEEE Transactions on Pattern "
        "Analysis and Machine Intelligence 16(5), 1994."
    ),
    counts=(7_291, 2_007),
    made_of="usps",
)

OPTDIGITS_32 = Entry(
    name="optdigits-32",
    title="the originals of optdigits, scanned (32×32), all 5,620",
    homepage=OPTDIGITS.homepage,
    licence=OPTDIGITS.licence,
    citation=OPTDIGITS.citation,
    counts=(3_823, 1_797),
    made_of="optdigits-32",
)

PENDIGITS = Entry(
    name="pendigits",
    title="digits of 44 writers in Turkey, drawn from pen strokes",
    homepage="https://archive.ics.uci.edu/dataset/81/pen+based+recognition+of+handwritten+digits",
    licence="CC BY 4.0",
    citation=(
        "E. Alpaydin, F. Alimoglu: Pen-Based Recognition of Handwritten Digits. UCI Machine Learning "
        "Repository, 1996, doi:10.24432/C5MG6K."
    ),
    counts=(7_494, 3_498),
    made_of="pendigits",
)

UNIPEN_DIGITS = Entry(
    name="unipen-digits",
    title="digits of some 270 writers, drawn from pen strokes",
    homepage="https://zenodo.org/records/1195803",
    licence="CC BY 4.0",
    citation=(
        "I. Guyon, L. Schomaker, R. Plamondon, M. Liberman, S. Janet: UNIPEN project of on-line data "
        "exchange and recognizer benchmarks. International Conference on Pattern Recognition, 1994. Data: "
        "International Unipen Foundation, train_r01_v07, doi:10.5281/zenodo.1195803."
    ),
    counts=(13_706, 2_247),
    made_of="unipen",
)

UNIPEN_LETTERS = Entry(
    name="unipen-letters",
    title="letters of some 300 writers, drawn from pen strokes, capitals and small ones as one class",
    homepage=UNIPEN_DIGITS.homepage,
    licence=UNIPEN_DIGITS.licence,
    citation=UNIPEN_DIGITS.citation,
    counts=(72_364, 17_065),
    class_names=LETTERS,
    made_of="unipen",
)

CATALOG = {
    entry.name: entry
    for entry in (
        *(MNIST, FASHION_MNIST, KMNIST, EMNIST_DIGITS, EMNIST_LETTERS, QMNIST, OPTDIGITS),
        *(USPS, OPTDIGITS_32, PENDIGITS, UNIPEN_DIGITS, UNIPEN_LETTERS),
    )
}

OTHER_HANDS = tuple(entry.name for entry in CATALOG.values() if entry.made_of and entry.class_names == DIGITS)
"""The sets of digits that nobody of MNIST's writers, or of other sets of NIST's forms, has written."""
