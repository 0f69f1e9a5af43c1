//go:build unix && !linux && !darwin

package peer

func (p *Peer) ask() error { return ErrUnknown }

func (p Peer) alive() error { return ErrUnknown }

func executable(int) (string, error) { return "", ErrUnknown }
