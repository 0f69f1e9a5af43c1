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

// take is the transaction of refresh.go.
func (t *turn) take() {
	w, p := t.from, t.from.processes[t.who]
	goTo := func(at step) func(*world, *process) {
		return func(_ *world, p *process) { p.at = at }
	}
	switch p.at {
	case idle:
		if p.unsaved && w.keyring != 0 {
			t.then("Load", t.load)
		}
		switch {
		case p.left == 0:
		case t.unlocked || t.flaw == noLock:
			t.then("lockRefresh: none", goTo(recovering))
		case w.lock == 0:
			t.then("lockRefresh", func(w *world, p *process) { w.lock, p.at = uint8(t.who+1), recovering })
		}

	case recovering:
		t.recover()
	case recoverSave:
		t.then("recover: Save the record", func(w *world, p *process) { w.linked, w.mark, p.at = true, 0, recoverDrop })
		t.fault(disk, "recover: Save fails", leave)
	case recoverDrop:
		t.then("recover: DropIntent", func(w *world, p *process) { w.intent, p.at = 0, reloading })
		t.fault(disk, "recover: DropIntent fails", leave)

	case reloading:
		if w.linked {
			t.then("reload", goTo(grantNow))
			return
		}
		t.do("reload: ErrNotLinked", func(w *world, p *process) string {
			p.at = unlocking
			if w.keyring != 0 {
				return "not linked, it is said, and the keyring holds a token"
			}
			return ""
		})

	case grantNow:
		t.grantNow()
	case settlePut:
		t.put(p.known, settleBack, unlocking)
	case settleBack:
		t.readBack(p.known, unlocking, func(_ *world, p *process) {
			p.unsaved, p.keeping, p.replaces, p.grant, p.at = false, false, 0, p.known, beginning
		})

	case beginning:
		t.begin()
	case saveAttempt:
		t.then("begin: SaveAttempt", func(w *world, p *process) {
			w.note = note{of: p.grant, tries: p.tries + 1, young: p.young && w.note.young || !p.doubt && t.replay == grace}
			p.noted, p.at, p.young = true, refreshing, false
		})
		t.fault(disk, "begin: SaveAttempt fails", func(w *world, p *process) {
			if p.at = unlocking; t.replay == reusable {
				p.at = refreshing
			}
		})

	case refreshing:
		t.refresh()
	case awaiting:
		t.await()
	case answered:
		t.judge()
	case refusing:
		t.refusal()
	case saveMark:
		t.then("revoked: saveMark", func(w *world, p *process) { w.mark, p.at = p.grant, failing })
		t.fault(disk, "revoked: saveMark fails", goTo(failing))
	case failing:
		t.fail()

	case savePut:
		t.put(p.known, saveBack, keepLock)
	case saveBack:
		t.readBack(p.known, keepLock, func(_ *world, p *process) {
			p.unsaved, p.keeping, p.replaces, p.grant, p.at = false, false, 0, p.known, dropAttempt
		})
	case keepLock:
		if t.flaw == silentKeeping || t.replay == reusable {
			t.then("the new token is kept in memory", leave)
			return
		}
		t.then("keep: lock", func(w *world, p *process) { p.keeping, p.at = true, unlocking })
		t.fault(disk, "keep: lock fails", leave)

	case dropAttempt:
		next := publishing
		if w.mark != 0 {
			next = clearMark
		}
		if !p.noted {
			t.then("end: no note", goTo(next))
			return
		}
		t.then("end: DropAttempt", func(w *world, p *process) { w.note, p.at = note{}, next })
		t.fault(disk, "end: DropAttempt fails", goTo(next))
	case clearMark:
		t.then("saveMark: not revoked", func(w *world, p *process) { w.mark, p.at = 0, publishing })
		t.fault(disk, "saveMark fails", goTo(publishing))

	case publishing:
		t.do("publish", t.publish)
	case unlocking:
		t.then("unlock", func(w *world, p *process) {
			if w.lock == uint8(t.who+1) {
				w.lock = 0
			}
			p.rest()
		})
	}
}

// load is Session.Load between two refreshes, which takes no lock.
func (t *turn) load(w *world, p *process) {
	if w.keyring != p.replaces || t.flaw == loadOver {
		p.known, p.unsaved, p.replaces = w.keyring, false, 0
	}
}

func (t *turn) recover() {
	w := t.from
	if w.intent == 0 {
		t.then("recover: no intent", func(_ *world, p *process) { p.at = reloading })
		return
	}
	t.then("recover: get", func(w *world, p *process) {
		if p.at = recoverDrop; w.keyring == w.intent {
			p.at = recoverSave
		}
	})
	t.fault(keyring, "recover: get fails", leave)
}

func (t *turn) grantNow() {
	w, p := t.from, t.from.processes[t.who]
	load := func(w *world, p *process) {
		p.known, p.grant, p.unsaved, p.keeping, p.replaces, p.at = w.keyring, w.keyring, false, false, 0, beginning
	}
	switch {
	case p.unsaved && w.keyring != 0 && w.keyring != p.replaces && w.keyring != p.known:
		t.then("settleUnsaved: load what replaced it", load)
		t.settleBlind()
	case p.unsaved:
		t.then("settleUnsaved: get", func(_ *world, p *process) { p.at = settlePut })
		t.settleBlind()
	case w.keyring == 0:
		t.then("load: ErrSecretMissing", leave)
	default:
		t.then("load", load)
		t.fault(keyring, "load fails", func(_ *world, p *process) {
			p.at = unlocking
			if p.known != 0 && (t.replay == reusable || t.flaw == trustMemory) {
				p.grant, p.at = p.known, beginning
			}
		})
	}
}

// settleBlind is a keyring that cannot be read while a new token waits to be
// written.
func (t *turn) settleBlind() {
	t.fault(keyring, "settleUnsaved: get fails", func(_ *world, p *process) {
		if p.at = unlocking; t.flaw == blindSettling {
			p.at = settlePut
		}
	})
}

// put writes a token to the keyring.
func (t *turn) put(value token, next, failed step) {
	t.then("put: Set", func(w *world, p *process) { w.keyring, p.at = value, next })
	t.fault(keyring, "put: Set fails", func(_ *world, p *process) { p.at = failed })
	t.fault(keyring, "put: Set fails, though written", func(w *world, p *process) { w.keyring, p.at = value, failed })
	t.fault(keyring, "put: Set, and the write is lost", func(_ *world, p *process) { p.at = next })
}

// readBack is the other half of put.
func (t *turn) readBack(value token, failed step, saved func(*world, *process)) {
	if t.from.keyring == value {
		t.then("put: Get", saved)
	} else {
		t.then("put: Get returns another", func(_ *world, p *process) { p.at = failed })
	}
	t.fault(keyring, "put: Get fails", func(_ *world, p *process) { p.at = failed })
}
