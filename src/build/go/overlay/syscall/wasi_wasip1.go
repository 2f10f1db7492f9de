//go:build wasip1

// What preview 1 lacks: sockets, which package runtime has, and paths outside of every folder that was granted.

package syscall

import "internal/stringslite"

func wasiRead(fd int, into []byte) (n int, errno int32)
func wasiWrite(fd int, from []byte) (n int, errno int32)
func wasiShutdown(fd int, how int32) (errno int32)
func wasiClose(fd int) (errno int32)

// isWASI returns whether a file descriptor is package runtime's. Standard input is, since a read through preview
// 1 blocks all goroutines. The others begin at runtime's wasiFirstFD.
func isWASI(fd int) bool { return fd == 0 || fd >= 1<<20 }

// outside returns the error for a path that is in none of the program's folders: an empty, read-only disk. The
// host's would be EBADF, since there is no folder to which the path is relative.
func outside(write bool) error {
	if write {
		return EROFS
	}
	return ENOENT
}

// statOutside describes a path that is in none of the program's folders. A folder that contains one of them
// exists.
func statOutside(path string, st *Stat_t) error {
	if !isAbs(path) {
		path = joinPath(cwd, path)
	}
	path = joinPath("/", path)
	for _, p := range preopens {
		if _, ok := inFolder(p.name, path); ok && isAbs(p.name) {
			*st = Stat_t{Filetype: FILETYPE_DIRECTORY, Nlink: 1}
			setDefaultMode(st)
			return nil
		}
	}
	return ENOENT
}

// inFolder returns whether a path is that of a folder or in it, with the part of the path that names the folder.
// Without this check, /database would be in /data.
func inFolder(path, folder string) (string, bool) {
	if folder == "." || folder == "./" {
		above := path == ".." || stringslite.HasPrefix(path, "../")
		return "", !isAbs(path) && !above
	}
	if !isAbs(folder) {
		folder = joinPath(folder, "")
	}
	for len(folder) > 1 && isDir(folder) {
		folder = folder[:len(folder)-1]
	}
	if !stringslite.HasPrefix(path, folder) {
		return "", false
	}
	if folder == "/" || len(path) == len(folder) || path[len(folder)] == '/' {
		return folder, true
	}
	return "", false
}
