package policy_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/policy"
)

// gate decides by the policy file at the returned path.
func gate(t *testing.T, question func(context.Context, policy.Question) (bool, error)) (*policy.Gate, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy", "work.json")
	return &policy.Gate{Path: func(string, string) (string, error) { return path, nil }, Question: question}, path
}

func add(t *testing.T, path string, rules ...policy.Rule) {
	t.Helper()
	_, err := policy.Update(t.Context(), path, path+".lock", func(p *policy.Policy) error {
		for _, r := range rules {
			p.Add(r, false)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wantEffect(t *testing.T, g *policy.Gate, who policy.Process, want policy.Effect, reason string) {
	t.Helper()
	got := g.Decide(t.Context(), "authring", "work", policy.Request{Who: who})
	if got.Effect != want || !strings.Contains(got.Reason, reason) {
		t.Errorf("got %+v, want %s because %q", got, want, reason)
	}
}

func TestThePolicyOfTheMoment(t *testing.T) {
	files := programs(t, "rclone", "curl")
	rclone, curl := running(t, files["rclone"]), running(t, files["curl"])
	g, path := gate(t, nil)
	wantEffect(t, g, curl, policy.Allow, "")
	add(t, path, policy.Rule{Effect: policy.Allow, Exe: files["rclone"]})
	wantEffect(t, g, curl, policy.Deny, "no rule fits")
	wantEffect(t, g, rclone, policy.Allow, "")
	add(t, path, policy.Rule{Effect: policy.Allow, Exe: files["curl"]})
	wantEffect(t, g, curl, policy.Allow, "")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the policy is %v, %v; want mode 0600", info.Mode(), err)
	}

	// Others could have written it, and then it holds nothing any more.
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	wantEffect(t, g, rclone, policy.Deny, "chmod 600")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	wantEffect(t, g, rclone, policy.Allow, "")
	if err := os.WriteFile(path, []byte(`{"version":1,"rules":[`), 0o600); err != nil {
		t.Fatal(err)
	}
	wantEffect(t, g, rclone, policy.Deny, "not a policy")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", path); err != nil {
		t.Fatal(err)
	}
	wantEffect(t, g, rclone, policy.Deny, "symbolic link")
}

func TestRemovingRules(t *testing.T) {
	_, path := gate(t, nil)
	add(t, path, policy.Rule{Effect: policy.Deny}, policy.Rule{Effect: policy.Allow, Unit: "a.service"})
	remove := func(id int) error {
		_, err := policy.Update(t.Context(), path, path+".lock", func(p *policy.Policy) error {
			if !p.Remove(id) {
				return errors.New("no such rule")
			}
			return nil
		})
		return err
	}
	if err := remove(1); err != nil {
		t.Fatal(err)
	}
	if err := remove(1); err == nil {
		t.Error("a rule was removed twice")
	}
	add(t, path, policy.Rule{Effect: policy.Ask})
	p, err := policy.Load(path)
	if err != nil || len(p.Rules) != 2 || p.Rules[0].ID != 2 || p.Rules[1].ID != 3 {
		t.Fatalf("the policy is %+v, %v", p, err)
	}
	for _, id := range []int{2, 3} {
		if err := remove(id); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := policy.Load(path); err != nil || p != nil {
		t.Errorf("without a rule it is %+v, %v", p, err)
	}
}

// TestChangesAtOnce are all made.
func TestChangesAtOnce(t *testing.T) {
	_, path := gate(t, nil)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { add(t, path, policy.Rule{Effect: policy.Deny}) })
	}
	wg.Wait()
	if p, err := policy.Load(path); err != nil || len(p.Rules) != 20 || p.Rules[19].ID != 20 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestTheUserIsAsked(t *testing.T) {
	files := programs(t, "rclone", "curl")
	rclone, curl := running(t, files["rclone"]), running(t, files["curl"])
	synctest.Test(t, func(t *testing.T) {
		var asked, open atomic.Int32
		yes := true
		g, path := gate(t, func(_ context.Context, q policy.Question) (bool, error) {
			asked.Add(1)
			if open.Add(1) > 1 {
				t.Error("two questions at a time")
			}
			defer open.Add(-1)
			if q.Config != "work" || q.Who.PID != 7 || q.Remember != 10*time.Minute {
				t.Errorf("asked %+v", q)
			}
			time.Sleep(5 * time.Second)
			return yes, nil
		})
		add(t, path, policy.Rule{Effect: policy.Ask, Remember: policy.Duration(10 * time.Minute)})

		// Once for all that ask the same, one question after the other.
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { wantEffect(t, g, rclone, policy.Allow, "") })
			wg.Go(func() { wantEffect(t, g, curl, policy.Allow, "") })
		}
		wg.Wait()
		if asked.Load() != 2 {
			t.Errorf("asked %d times, want 2", asked.Load())
		}
		wantEffect(t, g, rclone, policy.Allow, "")
		if asked.Load() != 2 {
			t.Error("asked again within ten minutes")
		}
		time.Sleep(11 * time.Minute)
		yes = false
		wantEffect(t, g, rclone, policy.Deny, "you did not allow it")
		wantEffect(t, g, rclone, policy.Deny, "you did not allow it")
		if asked.Load() != 3 {
			t.Errorf("asked %d times, want 3", asked.Load())
		}
	})
}

func TestARefusalHoldsForAMinute(t *testing.T) {
	files := programs(t, "rclone")
	rclone := running(t, files["rclone"])
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		g, path := gate(t, func(context.Context, policy.Question) (bool, error) { asked++; return asked > 1, nil })
		add(t, path, policy.Rule{Effect: policy.Ask})
		for range 5 {
			wantEffect(t, g, rclone, policy.Deny, "")
		}
		time.Sleep(time.Minute)
		wantEffect(t, g, rclone, policy.Allow, "")
		wantEffect(t, g, rclone, policy.Allow, "")
		if asked != 3 {
			t.Errorf("asked %d times, want once for the minute and each time for a yes", asked)
		}
	})
}

func TestNobodyToAsk(t *testing.T) {
	files := programs(t, "rclone")
	rclone := running(t, files["rclone"])
	for name, question := range map[string]func(context.Context, policy.Question) (bool, error){
		"no way to":        nil,
		"no notifications": func(context.Context, policy.Question) (bool, error) { return true, errors.New("no notifications") },
	} {
		g, path := gate(t, question)
		add(t, path, policy.Rule{Effect: policy.Ask})
		wantEffect(t, g, rclone, policy.Deny, name)
	}
}

// A question that stays on the screen is taken back, and says so; a program that
// goes on asking does not put it there again at once.
func TestNobodyAnswers(t *testing.T) {
	files := programs(t, "rclone")
	rclone := running(t, files["rclone"])
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		g, path := gate(t, func(ctx context.Context, _ policy.Question) (bool, error) {
			asked++
			<-ctx.Done()
			return false, context.Cause(ctx)
		})
		add(t, path, policy.Rule{Effect: policy.Ask})
		for range 3 {
			wantEffect(t, g, rclone, policy.Deny, "you did not answer in time")
		}
		if asked != 1 {
			t.Errorf("asked %d times within the minute", asked)
		}
		time.Sleep(time.Minute)
		wantEffect(t, g, rclone, policy.Deny, "you did not answer in time")
		if asked != 2 {
			t.Errorf("asked %d times, want once more after the minute", asked)
		}
		wantEffect(t, g, policy.Process{PID: 1}, policy.Deny, "you did not answer in time")
	})
}

// TestQuestionsAreBounded in number and time.
func TestQuestionsAreBounded(t *testing.T) {
	files := programs(t, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")
	synctest.Test(t, func(t *testing.T) {
		g, path := gate(t, func(ctx context.Context, _ policy.Question) (bool, error) {
			<-ctx.Done() // the user is away
			return false, context.Cause(ctx)
		})
		add(t, path, policy.Rule{Effect: policy.Ask})
		began := time.Now()
		var wg sync.WaitGroup
		for _, file := range files {
			who := running(t, file)
			wg.Go(func() { wantEffect(t, g, who, policy.Deny, "") })
		}
		wg.Wait()
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}
		leaving, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if d := g.Decide(leaving, "authring", "work", policy.Request{Who: running(t, files["a"])}); d.Effect != policy.Deny {
			t.Errorf("who left was answered %+v", d)
		}
		time.Sleep(2 * time.Minute)
	})
}
