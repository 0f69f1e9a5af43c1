package model_test

// begin is transaction.begin up to the note, with weigh.
func (t *turn) begin() {
	w, p := t.from, t.from.processes[t.who]
	if t.flaw == noNote {
		t.then("begin: no note", func(_ *world, p *process) { p.at = refreshing })
		return
	}
	found := w.note.of == p.grant
	switch {
	case !found:
		t.then("begin: LoadAttempt", func(_ *world, p *process) { p.doubt, p.noted, p.tries, p.at = false, false, 0, saveAttempt })
	case t.replay != reusable && w.kept(p.grant):
		t.do("weigh: another process keeps the new token", func(w *world, p *process) string {
			if p.at = unlocking; w.server.good.has(p.grant) {
				return "a token that is good is said to be used up"
			}
			return ""
		})
	case t.replay == reusable, t.replay == grace && w.note.young, w.note.tries <= 1:
		t.then("begin: LoadAttempt: in doubt", func(w *world, p *process) {
			p.doubt, p.noted, p.at = true, false, saveAttempt
			p.tries, p.young = w.note.tries, w.note.young
		})
	default:
		t.do("weigh: ErrInDoubt", func(w *world, p *process) string {
			if p.at = unlocking; t.faults.sum()-w.budget.sum() < 2 {
				return "a token is said to be in doubt after a single fault"
			}
			return ""
		})
	}
}

// refresh is provider.Client.Refresh up to what the server does.
func (t *turn) refresh() {
	t.do("Refresh", func(w *world, p *process) string {
		wrong := t.presented(w, p)
		usable, before := w.usable(), w.server
		heir, ok := t.present(&w.server, p.grant)
		p.answer, p.at = refused, awaiting
		if ok {
			p.answer, p.heir = granted, heir
		}
		if wrong == "" && w.server.ended && !before.ended && usable {
			wrong = "a replay ended a grant that could be used"
		}
		return wrong
	})
	t.fault(network, "Refresh: it never leaves", func(_ *world, p *process) { p.answer, p.at = unsent, awaiting })
	t.fault(network, "Refresh: it is lost on its way", func(_ *world, p *process) { p.answer, p.at = silent, awaiting })
	t.fault(network, "Refresh: 429", func(_ *world, p *process) { p.answer, p.at = limited, awaiting })
	if t.from.server.accepts(t.from.processes[t.who].grant) {
		t.fault(lie, "Refresh: refused wrongly", func(_ *world, p *process) { p.answer, p.at = refused, awaiting })
	}
}

// presented judges whether this token may be presented now.
func (t *turn) presented(w *world, p *process) string {
	if t.replay == reusable || w.server.ended || !w.server.used.has(p.grant) || w.server.open.has(p.grant) || w.mark == p.grant {
		return ""
	}
	again := w.replayed.has(p.grant)
	w.replayed = w.replayed.with(p.grant)
	switch spent := t.faults.disk - w.budget.disk; {
	case spent > 0:
		// Notes that cannot be written keep nobody from anything.
	case !p.doubt && !(t.replay == grace && t.faults.network > w.budget.network):
		return "a used token was presented by a process that did not know of an answer that was lost"
	case again && t.replay == singleUse:
		return "a used token was presented more than once again"
	}
	return ""
}

// await is what comes of the request, and whether the client asks once more by
// itself (provider.Client.mayReplay).
func (t *turn) await() {
	w, p := t.from, t.from.processes[t.who]
	if p.answer == granted || p.answer == refused {
		t.then("the answer comes", func(_ *world, p *process) { p.at = answered })
		t.fault(network, "the answer is lost", func(w *world, p *process) {
			if t.replay != reusable && p.heir != 0 {
				w.lost = w.lost.with(p.heir)
			}
			p.answer, p.heir = silent, 0
		})
		return
	}
	sent := p.sent || p.answer == silent || p.answer == limited
	t.then("Refresh fails", func(_ *world, p *process) { p.sent, p.at = sent, answered })
	inTime := t.replay == grace && (w.note.young || p.doubt)
	if t.replay == reusable || inTime || !sent || p.answer == limited {
		t.then("Refresh is tried again", func(_ *world, p *process) { p.sent, p.answer, p.at = sent, nothing, refreshing })
	}
}

// judge is transaction.run after the answer.
func (t *turn) judge() {
	p := t.from.processes[t.who]
	switch p.answer {
	case granted:
		if p.heir == 0 || p.heir == p.grant {
			t.then("granted", func(_ *world, p *process) { p.answer, p.heir, p.at = nothing, 0, dropAttempt })
			return
		}
		t.do("granted, rotated: keep", func(w *world, p *process) string {
			p.known, p.unsaved, p.replaces, p.at = p.heir, true, p.grant, savePut
			p.answer, p.heir = nothing, 0
			if t.flaw == publishFirst {
				p.grant = p.known
				return t.publishing(w, p)
			}
			return ""
		})
	case refused:
		next := refusing
		if p.confirm {
			next = saveMark
		}
		t.then("invalid_grant", func(_ *world, p *process) { p.at = next })
	default:
		next := failing
		if t.flaw == networkMeansRevoked && p.answer != limited {
			next = saveMark
		}
		t.then("no answer", func(_ *world, p *process) { p.at = next })
	}
}

// refusal is transaction.refused.
func (t *turn) refusal() {
	w, p := t.from, t.from.processes[t.who]
	same := func(w *world, p *process) {
		if p.at = saveMark; (!p.doubt || t.replay == reusable) && t.flaw != noConfirmation {
			p.confirm, p.answer, p.sent, p.at = true, nothing, false, refreshing
			return
		}
		// Nobody asks twice about a token in doubt.
		w.misled = w.misled || p.doubt && w.server.accepts(p.grant)
	}
	if w.keyring != 0 && w.keyring != p.grant {
		t.then("refused: adopt", func(w *world, p *process) {
			p.grant, p.known, p.unsaved, p.keeping, p.replaces = w.keyring, w.keyring, false, false, 0
			p.confirm, p.answer, p.sent, p.at = true, nothing, false, refreshing
		})
	} else {
		t.then("refused: get", same)
	}
	t.fault(keyring, "refused: get fails", same)
}

// fail is transaction.fail.
func (t *turn) fail() {
	p := t.from.processes[t.who]
	untouched := p.answer == limited || p.answer == unsent && !p.sent
	switch {
	case !p.noted:
		t.then("fail: no note", leave)
	case p.answer == refused, untouched && (!p.doubt || p.answer == limited && t.flaw == forgetDoubt):
		t.then("fail: DropAttempt", func(w *world, p *process) { w.note, p.at = note{}, unlocking })
		t.fault(disk, "fail: DropAttempt fails", leave)
	case untouched:
		t.then("fail: SaveAttempt", func(w *world, p *process) {
			w.note.tries, p.at = w.note.tries-1, unlocking
		})
		t.fault(disk, "fail: SaveAttempt fails", leave)
	default:
		t.then("fail: the note stays", leave)
	}
}

func (t *turn) publish(w *world, p *process) string {
	p.at = unlocking
	return t.publishing(w, p)
}

// publishing judges whether an access token may be handed out now.
func (t *turn) publishing(w *world, p *process) string {
	switch {
	case !t.unlocked && w.keyring != p.grant:
		return "an access token is handed out before the keyring has its refresh token"
	case !w.server.ended && !w.server.accepts(w.keyring):
		return "an access token is handed out, and the keyring holds a token that is of no use"
	}
	return ""
}
