package model_test

// rules say which world it is.
type rules struct {
	processes, refreshes int

	replay   replay // what the provider says of itself
	rotates  bool   // the server sends a new refresh token with each answer
	detects  bool   // the server ends the grant when a used token comes back
	newHeirs bool   // a server with grace answers a replay with another new token
	unlocked bool   // no file can be locked
	timeless bool   // no window ever ends

	faults faults
	flaw   flaw
}

// move is a step that was taken.
type move struct {
	who   int // the process, from 1 on; 0 for none
	name  string
	to    world
	wrong string // what it did that must never be
}

// moves are all that can happen next.
func (r rules) moves(w world) []move {
	var list []move
	for i := range r.processes {
		t := &turn{rules: r, from: w, who: i}
		t.take()
		t.die()
		list = append(list, t.list...)
	}
	return append(list, r.events(w)...)
}

// events are what happens to no process in particular.
func (r rules) events(w world) []move {
	var list []move
	if w.budget.user > 0 && !w.server.ended {
		to := w
		to.budget.user--
		to.server.ended, to.byUser = true, true
		list = append(list, move{name: "the user revokes the grant", to: to})
	}
	if r.timeless {
		return list
	}
	if w.note.young && r.replay == grace {
		to := w
		to.note.young = false
		list = append(list, move{name: "time: the window is over, by the note", to: to})
	}
	for t := token(1); t <= w.server.issued; t++ {
		// The note was written before the server heard of it.
		if w.server.open.has(t) && (w.note.of != t || !w.note.young) {
			to := w
			to.server.open, to.server.heir[t] = to.server.open.without(t), 0
			list = append(list, move{name: "time: a window is over, by the server", to: to})
		}
	}
	return list
}

// turn collects what one process can do.
type turn struct {
	rules
	from world
	who  int
	list []move
}

// do is a step. What the function returns is what is wrong with it.
func (t *turn) do(name string, f func(w *world, p *process) string) {
	to := t.from
	wrong := f(&to, &to.processes[t.who])
	t.list = append(t.list, move{who: t.who + 1, name: name, to: to, wrong: wrong})
}

// then is a step that cannot be wrong.
func (t *turn) then(name string, f func(w *world, p *process)) {
	t.do(name, func(w *world, p *process) string { f(w, p); return "" })
}

// fault is a step that fails, while there is a budget for that.
func (t *turn) fault(budget func(*faults) *uint8, name string, f func(w *world, p *process)) {
	if left := t.from.budget; *budget(&left) > 0 {
		t.then(name, func(w *world, p *process) {
			*budget(&w.budget)--
			f(w, p)
		})
	}
}

func network(f *faults) *uint8 { return &f.network }
func keyring(f *faults) *uint8 { return &f.keyring }
func disk(f *faults) *uint8    { return &f.disk }
func lie(f *faults) *uint8     { return &f.lie }
func crash(f *faults) *uint8   { return &f.crash }

// die kills the process, and another takes its place.
func (t *turn) die() {
	p := t.from.processes[t.who]
	if p.at == idle && p.known == 0 {
		return
	}
	t.fault(crash, "is killed", func(w *world, p *process) {
		left := p.left
		if p.at != idle {
			left--
		}
		for _, carried := range []token{p.heir, p.known} {
			if t.replay != reusable && carried != 0 && carried != w.keyring && (carried == p.heir || p.unsaved) {
				w.lost = w.lost.with(carried)
			}
		}
		if w.lock == uint8(t.who+1) {
			w.lock = 0
		}
		*p = process{left: left}
	})
}

// leave ends the transaction.
func leave(_ *world, p *process) { p.at = unlocking }
