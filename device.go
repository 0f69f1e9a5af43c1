package authring

import (
	"context"
	"fmt"
	"time"
)

// DeviceCode is what a user needs to approve access on another device (RFC 8628
// section 3.3). Its texts are fit to be shown.
type DeviceCode struct {
	// UserCode is to be typed on the page at VerificationURI.
	UserCode, VerificationURI string
	// VerificationURIComplete is a page on which it need not be typed, for a
	// QR code. The user should still compare the code with the one there
	// (section 5.4). It may be empty.
	VerificationURIComplete string
	// Expires is when the code is no longer good.
	Expires time.Time
}

// VerifyDevice links by the device authorization grant (RFC 8628): show is
// called with the code that the user types on any other device, and the
// provider is asked until the user has decided there. The credentials are then
// in memory; [Session.SaveCreds] keeps them.
//
// The errors are errors.ErrUnsupported where the provider has no such way;
// provider.ErrAccessDenied and provider.ErrDeviceExpired, which are both an
// [ErrInvalidToken], after which the link is begun anew; [ErrConnectionFailed]
// where no code could be had, and where the provider has answered five times in
// a row with nothing of use; and that of ctx. A connection that fails while the
// user decides ends nothing; each such failure is an [EventTrouble].
func (s *Session) VerifyDevice(ctx context.Context, show func(DeviceCode)) error {
	appKey := s.linkAppKey()
	client, err := s.client(appKey)
	if err != nil {
		return err
	}
	if err := s.unlockClientSecret(ctx); err != nil {
		return ended(ctx, err)
	}
	s.mu.Lock()
	scope := s.linkScope()
	s.mu.Unlock()
	key, err := s.proofKey()
	if err != nil {
		return err
	}
	done := s.waitingForProvider()
	authorization, err := client.AuthorizeDevice(ctx, scope)
	done()
	if err != nil {
		return ended(ctx, err)
	}
	show(DeviceCode{
		UserCode: authorization.UserCode, VerificationURI: authorization.VerificationURI,
		VerificationURIComplete: authorization.VerificationURIComplete, Expires: authorization.Expires,
	})
	authorization.Trouble = func(fault error, next time.Duration) {
		s.emit(Event{
			Kind: EventTrouble, Err: fault,
			Text: fmt.Sprintf("%v; it is asked again in %v", fault, next.Round(time.Second)),
		})
	}
	token, err := proves(client, key).AwaitDevice(ctx, authorization)
	if err != nil {
		return ended(ctx, err)
	}
	return s.take(token, &begunLink{appKey: appKey, scope: scope, key: key}, s.clock.Now(), time.Now())
}
