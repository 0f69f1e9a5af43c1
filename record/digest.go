package record

import "crypto/sha256"

// Digest is a hash of what the files say that tell of a link: another one after
// each link that authring makes, even where the file system tells times by the
// second. What cannot be read is as if it was not there.
func (l Layout) Digest(config string) (sum [sha256.Size]byte) {
	h := sha256.New()
	paths := []string{l.ConfigPath(config)}
	if l.Maestral() {
		paths = append(paths, l.extraPath(config))
	}
	for _, path := range paths {
		data, _, err := readBounded(path)
		if err != nil {
			data = nil
		}
		part := sha256.Sum256(data)
		_, _ = h.Write(part[:])
	}
	h.Sum(sum[:0])
	return sum
}
