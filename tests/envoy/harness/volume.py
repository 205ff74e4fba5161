"""A ConfigMap as a kubelet mounts it: the files of a revision in a folder of its own, and one link that is swapped."""
import os
import shutil


class ConfigVolume:
    """The folder has links NAME -> ..data/NAME, and ..data names the folder of the revision. A new revision is written beside
    it and becomes the one with a single rename; then links of files that are gone, and the old folder, are removed."""

    def __init__(self, folder):
        self.folder, self._revision = folder, 0

    def update(self, data):
        old = self._path("..data")
        before = os.readlink(old) if os.path.islink(old) else None
        self._revision += 1
        made = f"..revision_{self._revision}"
        os.mkdir(self._path(made), 0o755)
        for name, text in data.items():
            with open(self._path(f"{made}/{name}"), "w", encoding="utf-8") as file:
                file.write(text)
        os.symlink(made, self._path("..data_tmp"))
        os.rename(self._path("..data_tmp"), self._path("..data"))
        for name in data:
            if not os.path.islink(self._path(name)):
                os.symlink(f"..data/{name}", self._path(name))
        for name in os.listdir(self.folder):
            if not name.startswith("..") and name not in data:
                os.unlink(self._path(name))
        if before:
            shutil.rmtree(self._path(before))

    def _path(self, name):
        return os.path.join(self.folder, name)
