// Package envfile makes files of secrets that a platform hands over in the
// environment, for the parts of Dapr that read nothing but files.
//
// They are in memory and have no name: nothing is written to a disk, and a
// container needs no writable directory.
package envfile

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Write answers the path of a file with this content, which lasts as long as
// this process. The label is for who looks into /proc.
func Write(label string, content []byte) (string, error) {
	descriptor, err := unix.MemfdCreate(label, unix.MFD_CLOEXEC)
	if err != nil {
		return "", fmt.Errorf("a file in memory for %s: %w", label, err)
	}
	// Without os.File, which closes what nobody refers to.
	for rest := content; len(rest) > 0; {
		n, err := unix.Write(descriptor, rest)
		if err != nil {
			return "", fmt.Errorf("a file in memory for %s: %w", label, err)
		}
		rest = rest[n:]
	}
	return fmt.Sprintf("/proc/self/fd/%d", descriptor), nil
}

// Replace takes a secret out of the variable `from` and puts the path of a file
// that holds it into `to`. Without the secret it changes nothing.
func Replace(from, to string) error {
	secret, ok := os.LookupEnv(from)
	if !ok {
		return nil
	}
	path, err := Write(from, []byte(secret))
	if err != nil {
		return err
	}
	if err := os.Unsetenv(from); err != nil {
		return err
	}
	return os.Setenv(to, path)
}
