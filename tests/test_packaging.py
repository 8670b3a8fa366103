"""What a user installs: the wheel holds the catalog, and package and checkout each find their own."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import infra_advisor
from infra_advisor.errors import CatalogError
from infra_advisor.paths import catalog_dir

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, path: Path | None = None) -> str:
    # Nothing of the caller's import path or overlays: what is found must come from `path` alone.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "INFRA_ADVISOR_CATALOG")}
    if path:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run([*command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(*PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    run(*PIP, "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel, cwd=folder)
    return folder


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_wheel_holds_every_catalog_file(wheel: Path) -> None:
    prefix = "infra_advisor/_catalog/"
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.removeprefix(prefix) for name in names if name.startswith(prefix)} == files_below(ROOT / "catalog")


def test_wheel_holds_the_package_and_nothing_beside_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"infra_advisor", "infra_advisor-0.1.0.dist-info"}
    assert "infra_advisor/py.typed" in names
    for licence in ("LICENSE", "NOTICE"):
        assert f"infra_advisor-0.1.0.dist-info/licenses/{licence}" in names


def test_installed_package_uses_the_catalog_inside_it(installed: Path, tmp_path: Path) -> None:
    program = "from infra_advisor.paths import catalog_dir; print(catalog_dir())"
    found = Path(run(sys.executable, "-c", program, cwd=tmp_path, path=installed).strip())
    assert found == (installed / "infra_advisor" / "_catalog").resolve()
    assert files_below(found) == files_below(ROOT / "catalog")


def test_installed_command_reads_its_own_catalog(installed: Path, tmp_path: Path) -> None:
    printed = run(sys.executable, "-m", "infra_advisor", "catalog", "path", cwd=tmp_path, path=installed)
    assert Path(printed.strip()) == (installed / "infra_advisor" / "_catalog").resolve()
    assert "h100-sxm" in run(sys.executable, "-m", "infra_advisor", "catalog", "list", "chips", "h100", cwd=tmp_path, path=installed)


def test_checkout_uses_the_catalog_beside_the_package() -> None:
    assert catalog_dir() == ROOT / "catalog"


def test_stale_copy_in_a_checkout_does_not_win(tmp_path: Path) -> None:
    package = tmp_path / "infra_advisor"
    for folder in (package / "_catalog", tmp_path / "catalog"):
        folder.mkdir(parents=True)
    assert catalog_dir(package) == package / "_catalog"
    (tmp_path / "pyproject.toml").touch()
    assert catalog_dir(package) == tmp_path / "catalog"


def test_missing_catalog_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="the bundled catalog is missing"):
        catalog_dir(tmp_path / "infra_advisor")


def test_extra_all_holds_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    (everything,) = project["optional-dependencies"]["all"]
    assert everything.startswith("infra-advisor[")
    assert set(everything.removeprefix("infra-advisor[").removesuffix("]").split(",")) == extras - {"all"}


def test_package_and_project_state_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    source = ROOT / project["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{infra_advisor.__version__}"' in source.read_text(encoding="utf-8")
