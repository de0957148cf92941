"""Compiles the kernels of src/mnistry/native as a wheel is built; if that fails, it goes without them."""

import runpy
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelsBuildHook(BuildHookInterface[Any]):
    """Puts the library into a wheel, or, of an editable installation, beside the sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles, and says that the wheel is for this platform; or says why it has no kernels."""
        if self.target_name != "wheel":
            return
        folder = Path(self.root) / "src" / "mnistry" / "native"
        build = runpy.run_path(str(folder / "build.py"))["build"]
        self._made = Path(tempfile.mkdtemp())
        try:
            library = build(folder if version == "editable" else self._made)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            self.app.display_warning(f"mnistry goes without its compiled kernels, and trains slower: {said}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
        if version != "editable":
            build_data["force_include"][str(library)] = f"mnistry/native/{library.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes what was made on the way."""
        if made := getattr(self, "_made", None):
            shutil.rmtree(made, ignore_errors=True)
