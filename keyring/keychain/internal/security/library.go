//go:build darwin || linux

package security

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// Where macOS has them. There is no such file on its disk: its loader takes
// them out of a cache by these names.
const (
	CoreFoundation = "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation"
	Framework      = "/System/Library/Frameworks/Security.framework/Security"
)

// Library is the two frameworks, loaded. It is safe for concurrent use.
//
// An object is an address, as C has it. Who gets one from a function with
// Create or Copy in its name releases it ("The Create Rule", Memory Management
// Programming Guide for Core Foundation).
type Library struct {
	release             func(object uintptr)
	typeID              func(object uintptr) uint
	stringWithBytes     func(allocator uintptr, bytes []byte, size int, encoding uint32, external bool) uintptr
	stringLength        func(object uintptr) int
	stringSize          func(length int, encoding uint32) int
	stringInto          func(object uintptr, buffer []byte, size int, encoding uint32) bool
	mutableData         func(allocator uintptr, capacity int) uintptr
	appendBytes         func(object uintptr, bytes []byte, size int)
	mutableBytes        func(object uintptr) *byte
	dataBytes           func(object uintptr) *byte
	dataLength          func(object uintptr) int
	dataType            func() uint
	dictionary          func(allocator uintptr, keys, values []uintptr, count int, keyCalls, valueCalls uintptr) uintptr
	itemCopyMatching    func(query uintptr, result *uintptr) int32
	itemAdd             func(attributes uintptr, result *uintptr) int32
	itemUpdate          func(query, attributes uintptr) int32
	itemDelete          func(query uintptr) int32
	keychainStatus      func(keychain uintptr, status *uint32) int32
	keychainUnlock      func(keychain uintptr, length uint32, password uintptr, usePassword bool) int32
	interactionAllowed  func(allowed *uint8) int32
	setInteraction      func(allowed bool) int32
	copyMessage         func(status int32, reserved uintptr) uintptr
	keyCalls, valueCall uintptr

	class, genericPassword, service, account, valueData uintptr
	returnData, matchLimit, matchLimitOne, yes          uintptr
}

// Load binds to the two frameworks by the paths of their libraries.
func Load(coreFoundation, framework string) (*Library, error) {
	l := &Library{}
	if err := bind(coreFoundation, map[string]any{
		"CFRelease":                         &l.release,
		"CFGetTypeID":                       &l.typeID,
		"CFStringCreateWithBytes":           &l.stringWithBytes,
		"CFStringGetLength":                 &l.stringLength,
		"CFStringGetMaximumSizeForEncoding": &l.stringSize,
		"CFStringGetCString":                &l.stringInto,
		"CFDataCreateMutable":               &l.mutableData,
		"CFDataAppendBytes":                 &l.appendBytes,
		"CFDataGetMutableBytePtr":           &l.mutableBytes,
		"CFDataGetBytePtr":                  &l.dataBytes,
		"CFDataGetLength":                   &l.dataLength,
		"CFDataGetTypeID":                   &l.dataType,
		"CFDictionaryCreate":                &l.dictionary,
		"kCFBooleanTrue":                    constant{&l.yes},
		"kCFTypeDictionaryKeyCallBacks":     address{&l.keyCalls},
		"kCFTypeDictionaryValueCallBacks":   address{&l.valueCall},
	}); err != nil {
		return nil, err
	}
	if err := bind(framework, map[string]any{
		"SecItemCopyMatching":                  &l.itemCopyMatching,
		"SecItemAdd":                           &l.itemAdd,
		"SecItemUpdate":                        &l.itemUpdate,
		"SecItemDelete":                        &l.itemDelete,
		"SecKeychainGetStatus":                 &l.keychainStatus,
		"SecKeychainUnlock":                    &l.keychainUnlock,
		"SecKeychainGetUserInteractionAllowed": &l.interactionAllowed,
		"SecKeychainSetUserInteractionAllowed": &l.setInteraction,
		"SecCopyErrorMessageString":            &l.copyMessage,
		"kSecClass":                            constant{&l.class},
		"kSecClassGenericPassword":             constant{&l.genericPassword},
		"kSecAttrService":                      constant{&l.service},
		"kSecAttrAccount":                      constant{&l.account},
		"kSecValueData":                        constant{&l.valueData},
		"kSecReturnData":                       constant{&l.returnData},
		"kSecMatchLimit":                       constant{&l.matchLimit},
		"kSecMatchLimitOne":                    constant{&l.matchLimitOne},
	}); err != nil {
		return nil, err
	}
	return l, nil
}

// What else than a function a symbol can be: a variable that holds an object,
// or one whose address is meant.
type (
	constant struct{ into *uintptr }
	address  struct{ into *uintptr }
)

// bind gives each symbol of a library to what waits for it.
func bind(path string, symbols map[string]any) error {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("could not load %s: %w", path, err)
	}
	for name, into := range symbols {
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return fmt.Errorf("could not find %s in %s: %w", name, path, err)
		}
		switch into := into.(type) {
		case constant:
			*into.into = load(symbol)
		case address:
			*into.into = symbol
		default:
			purego.RegisterFunc(into, symbol)
		}
	}
	return nil
}
