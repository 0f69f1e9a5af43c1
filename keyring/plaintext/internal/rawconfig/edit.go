package rawconfig

import "slices"

// Get returns the value of an option. Options of [Default] do not count.
func (f *File) Get(section, name string) (value string, ok bool) {
	if s := f.find(section); s != nil {
		return s.get(OptionName(name))
	}
	return "", false
}

// Set gives an option a value, at its place if it is there, otherwise at the
// end of the section, which is made if need be. The caller keeps to names
// and values that can be written: see [File.Bytes].
func (f *File) Set(section, name, value string) {
	name = OptionName(name)
	s := f.addSection(section)
	for i := range s.options {
		if s.options[i].name == name {
			s.options[i].value = value
			return
		}
	}
	s.options = append(s.options, option{name, value})
}

// Remove takes an option away and leaves its section, even an empty one, as
// RawConfigParser.remove_option does. It reports whether there was one.
func (f *File) Remove(section, name string) bool {
	s := f.find(section)
	if s == nil {
		return false
	}
	before := len(s.options)
	s.options = slices.DeleteFunc(s.options, func(o option) bool { return o.name == OptionName(name) })
	return len(s.options) < before
}

// RemoveIfEmpty takes a section away that has no options.
func (f *File) RemoveIfEmpty(name string) {
	f.sections = slices.DeleteFunc(f.sections, func(s *section) bool {
		return s.name == name && len(s.options) == 0
	})
}

func (f *File) find(name string) *section {
	for _, s := range f.sections {
		if s.name == name {
			return s
		}
	}
	return nil
}

func (f *File) addSection(name string) *section {
	s := f.find(name)
	if s == nil {
		s = &section{name: name}
		f.sections = append(f.sections, s)
	}
	return s
}

func (s *section) get(name string) (string, bool) {
	for _, o := range s.options {
		if o.name == name {
			return o.value, true
		}
	}
	return "", false
}
