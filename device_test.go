package authring_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/provider"
)

// deviceServer is a server for devices without a browser, in this process.
type deviceServer struct {
	decision string // the error of RFC 8628 section 3.5; empty: approved
	asked    int
}

func (d *deviceServer) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	form, _ := url.ParseQuery(string(body))
	answer := map[string]any{}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case req.URL.Path == "/device":
		answer = map[string]any{"device_code": "the-device-code", "user_code": "WDJB-MJHT", "verification_uri": "https://as.example/activate", "expires_in": 300, "interval": 5}
	case form.Get("device_code") != "the-device-code":
		answer["error"] = "invalid_grant"
	case d.asked < 2:
		answer["error"] = "authorization_pending"
		d.asked++
	case d.decision != "":
		answer["error"] = d.decision
	default:
		answer = map[string]any{"access_token": "access-token", "refresh_token": "refresh-token", "token_type": "bearer", "expires_in": 3600, "account": "id-1"}
	}
	if answer["error"] != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

func deviceProvider() *provider.Provider {
	return &provider.Provider{
		Name: "example", Title: "Example", AuthURL: "https://as.example/auth", TokenURL: "https://as.example/token",
		DeviceURL: "https://as.example/device", AccountIDField: "account",
	}
}

func TestDevice(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default", authring.WithProvider(deviceProvider()), authring.WithAppKey("k"), authring.WithTransport(&deviceServer{}))
	synctest.Test(t, func(t *testing.T) {
		var shown authring.DeviceCode
		began := time.Now()
		if err := s.VerifyDevice(t.Context(), func(code authring.DeviceCode) { shown = code }); err != nil {
			t.Fatal(err)
		}
		if shown.UserCode != "WDJB-MJHT" || shown.VerificationURI != "https://as.example/activate" || shown.Expires.Sub(began) != 5*time.Minute {
			t.Errorf("shown %+v", shown)
		}
		if took := time.Since(began); took != 15*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	if _, err := s.SaveCreds(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, authring.Linked)
	if s.AccountID() != "id-1" {
		t.Errorf("account %q", s.AccountID())
	}
}

func TestDeviceRefused(t *testing.T) {
	for decision, want := range map[string]error{
		"access_denied": provider.ErrAccessDenied, "expired_token": provider.ErrDeviceExpired, "invalid_grant": provider.ErrCodeRejected,
	} {
		w := newWorld(t)
		s := w.open(t, "default", authring.WithProvider(deviceProvider()), authring.WithAppKey("k"), authring.WithTransport(&deviceServer{decision: decision}))
		synctest.Test(t, func(t *testing.T) {
			err := s.VerifyDevice(t.Context(), func(authring.DeviceCode) {})
			wantErr(t, err, want)
			wantErr(t, err, authring.ErrInvalidToken)
		})
		_, err := s.SaveCreds(t.Context())
		wantErr(t, err, authring.ErrNoCredentials)
	}
	w := newWorld(t)
	err := w.open(t, "default").VerifyDevice(t.Context(), func(authring.DeviceCode) { t.Error("a code is shown") })
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Dropbox: %v", err)
	}
}
