package model_test

// take is the next step of the transaction.
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
