package dropboxtest

import (
	"strings"
	"unicode/utf8"
)

// User is an account of the emulator. Fields that are left empty are filled in
// when the user is added.
type User struct {
	// AccountID starts with dbid: and is 40 characters long at Dropbox.
	AccountID string
	// UID is the older, numeric id, which token answers still carry.
	UID       string
	GivenName string
	Surname   string
	Email     string
	// Country is a code of two letters.
	Country string
	// Suspended makes every API call of the user answer 401 user_suspended.
	Suspended bool
	// Team makes the user a member of a team.
	Team *Team
}

// Team is what a member of a team carries of it.
type Team struct {
	ID       string // starts with dbtid:
	Name     string
	MemberID string // starts with dbmid:
}

// DefaultUser returns the user of an emulator without options, who is signed in.
func DefaultUser() User {
	return User{
		AccountID: "dbid:AADqZ8NotesOnTheEngine_1843LoveLace",
		UID:       "18151210",
		GivenName: "Ada",
		Surname:   "Lovelace",
		Email:     "ada@example.org",
		Country:   "GB",
	}
}

// DisplayName returns the full name.
func (u User) DisplayName() string {
	return strings.TrimSpace(u.GivenName + " " + u.Surname)
}

// initials returns the first letters of both names.
func (u User) initials() string {
	var out []rune
	for _, name := range []string{u.GivenName, u.Surname} {
		if r, size := utf8.DecodeRuneInString(name); size > 0 {
			out = append(out, r)
		}
	}
	return string(out)
}

// completed returns the user with its empty fields filled in.
func (u User) completed() User {
	if u.AccountID == "" {
		u.AccountID = "dbid:AA" + randomText(33)
	}
	if u.UID == "" {
		u.UID = randomDigits(8)
	}
	if u.DisplayName() == "" {
		u.GivenName, u.Surname = "Somebody", "Else"
	}
	if u.Email == "" {
		u.Email = u.UID + "@example.org"
	}
	if u.Country == "" {
		u.Country = "GB"
	}
	if u.Team != nil {
		team := *u.Team
		if team.ID == "" {
			team.ID = "dbtid:AA" + randomText(33)
		}
		if team.MemberID == "" {
			team.MemberID = "dbmid:AA" + randomText(33)
		}
		if team.Name == "" {
			team.Name = "Analytical Engines"
		}
		u.Team = &team
	}
	return u
}
