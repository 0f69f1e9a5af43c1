// A stand-in for the few functions of CoreFoundation and Security.framework
// that are used, by Apple's documentation of them.
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { TEXT = 7, DATA = 20, DICTIONARY = 18, BOOLEAN = 21 } kind;

typedef struct object {
	kind kind;
	int references;
	bool constant, writable;
	long size;
	unsigned char *bytes;                  // of a text or data
	const struct object **keys, **values;  // of a dictionary
} object;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long alive, unwiped;

static void die(const char *why) {
	fprintf(stderr, "stand-in: %s\n", why);
	abort();
}

static object *make(kind k, const void *bytes, long size) {
	object *o = calloc(1, sizeof *o);
	o->kind = k, o->references = 1, o->size = size;
	if (k != DICTIONARY) {
		o->bytes = calloc(1, size + 1);
		memcpy(o->bytes, bytes, size);
	}
	__atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
	return o;
}

static const object *retain(const object *o) {
	if (!o || o->references < 1) die("an object that is gone was used");
	if (!o->constant) __atomic_add_fetch(&((object *)o)->references, 1, __ATOMIC_SEQ_CST);
	return o;
}

void CFRelease(object *o) {
	if (!o) die("CFRelease(NULL)");
	if (o->constant) return;
	int left = __atomic_sub_fetch(&o->references, 1, __ATOMIC_SEQ_CST);
	if (left < 0) die("an object was released twice");
	if (left > 0) return;
	if (o->writable)
		for (long i = 0; i < o->size; i++)
			if (o->bytes[i]) {
				__atomic_add_fetch(&unwiped, 1, __ATOMIC_SEQ_CST);
				break;
			}
	if (o->kind == DICTIONARY)
		for (long i = 0; i < o->size; i++) {
			CFRelease((object *)o->keys[i]);
			CFRelease((object *)o->values[i]);
		}
	__atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST);
	// Never freed: what is used after its release is found out.
}

unsigned long CFGetTypeID(const object *o) { return o->kind; }
unsigned long CFDataGetTypeID(void) { return DATA; }

object *CFStringCreateWithBytes(const void *allocator, const unsigned char *bytes, long size, uint32_t encoding, unsigned char external) {
	if (allocator || encoding != 0x08000100 || external) die("CFStringCreateWithBytes: arguments");
	for (long i = 0; i < size; i++)
		if (bytes[i] == 0xff) return NULL;  // as for all that is no UTF-8
	return make(TEXT, bytes, size);
}

long CFStringGetLength(const object *o) { return o->size; }
long CFStringGetMaximumSizeForEncoding(long length, uint32_t encoding) {
	if (encoding != 0x08000100) die("CFStringGetMaximumSizeForEncoding: arguments");
	return 3 * length;
}

unsigned char CFStringGetCString(const object *o, char *buffer, long size, uint32_t encoding) {
	if (encoding != 0x08000100) die("CFStringGetCString: arguments");
	if (o->kind != TEXT || size < o->size + 1) return 0;
	memcpy(buffer, o->bytes, o->size + 1);
	return 1;
}

object *CFDataCreateMutable(const void *allocator, long capacity) {
	if (allocator) die("CFDataCreateMutable: arguments");
	object *o = make(DATA, "", 0);
	o->bytes = realloc(o->bytes, capacity + 1);
	o->writable = true;
	return o;
}

void CFDataAppendBytes(object *o, const unsigned char *bytes, long size) {
	if (!o->writable || o->size) die("CFDataAppendBytes: arguments");
	memcpy(o->bytes, bytes, size);
	o->size = size;
}

unsigned char *CFDataGetMutableBytePtr(object *o) {
	if (!o->writable) die("CFDataGetMutableBytePtr of data that cannot be changed");
	return o->bytes;
}
const unsigned char *CFDataGetBytePtr(const object *o) { return o->bytes; }
long CFDataGetLength(const object *o) { return o->size; }

const int kCFTypeDictionaryKeyCallBacks = 1, kCFTypeDictionaryValueCallBacks = 2;

object *CFDictionaryCreate(const void *allocator, const object **keys, const object **values, long count, const int *key_calls, const int *value_calls) {
	if (allocator || key_calls != &kCFTypeDictionaryKeyCallBacks || value_calls != &kCFTypeDictionaryValueCallBacks)
		die("CFDictionaryCreate: arguments");
	object *o = make(DICTIONARY, NULL, count);
	o->keys = calloc(count, sizeof *keys), o->values = calloc(count, sizeof *values);
	for (long i = 0; i < count; i++) o->keys[i] = retain(keys[i]), o->values[i] = retain(values[i]);
	return o;
}

#define CONSTANT(name)                                                                  \
	static object name##_object = {.kind = TEXT, .references = 1, .constant = true}; \
	const object *name = &name##_object;
CONSTANT(kCFBooleanTrue)
CONSTANT(kSecClass)
CONSTANT(kSecClassGenericPassword)
CONSTANT(kSecAttrService)
CONSTANT(kSecAttrAccount)
CONSTANT(kSecValueData)
CONSTANT(kSecReturnData)
CONSTANT(kSecMatchLimit)
CONSTANT(kSecMatchLimitOne)

// The keychain.

enum { missing = -25300, duplicate = -25299, interaction = -25308, cancelled = -128, parameter = -50 };

typedef struct item {
	const object *service, *account;
	unsigned char *bytes;
	long size;
	struct item *next;
} item;

static item *items;
static bool is_locked, no_interaction, refuses;

static const object *value(const object *dictionary, const object *key) {
	for (long i = 0; i < dictionary->size; i++)
		if (dictionary->keys[i] == key) return dictionary->values[i];
	return NULL;
}

static bool same(const object *a, const object *b) { return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size); }

// slot is where the item of a query is, or the end.
static item **slot(const object *query) {
	const object *service = value(query, kSecAttrService), *account = value(query, kSecAttrAccount);
	if (value(query, kSecClass) != kSecClassGenericPassword || !service || !account) die("a query for too much");
	item **at = &items;
	while (*at && !(same((*at)->service, service) && same((*at)->account, account))) at = &(*at)->next;
	return at;
}

static int32_t unlock_keychain(void) {
	if (!is_locked) return 0;
	if (no_interaction) return interaction;
	if (refuses) return cancelled;
	is_locked = false;
	return 0;
}

static void put(item *i, const object *data) {
	if (!data || data->kind != DATA) die("an item without data");
	i->bytes = malloc(data->size + 1);
	memcpy(i->bytes, data->bytes, data->size);
	i->size = data->size;
}

int32_t SecItemCopyMatching(const object *query, const object **result) {
	if (value(query, kSecReturnData) != kCFBooleanTrue || value(query, kSecMatchLimit) != kSecMatchLimitOne || !result)
		return parameter;
	pthread_mutex_lock(&lock);
	item *found = *slot(query);
	int32_t status = found ? unlock_keychain() : missing;
	if (!status) *result = make(DATA, found->bytes, found->size);
	pthread_mutex_unlock(&lock);
	return status;
}

int32_t SecItemAdd(const object *attributes, const object **result) {
	if (result) return parameter;
	pthread_mutex_lock(&lock);
	item **at = slot(attributes);
	int32_t status = *at ? duplicate : unlock_keychain();
	if (!status) {
		*at = calloc(1, sizeof **at);
		(*at)->service = make(TEXT, value(attributes, kSecAttrService)->bytes, value(attributes, kSecAttrService)->size);
		(*at)->account = make(TEXT, value(attributes, kSecAttrAccount)->bytes, value(attributes, kSecAttrAccount)->size);
		__atomic_sub_fetch(&alive, 2, __ATOMIC_SEQ_CST);  // the keychain's own
		put(*at, value(attributes, kSecValueData));
	}
	pthread_mutex_unlock(&lock);
	return status;
}

int32_t SecItemUpdate(const object *query, const object *attributes) {
	if (attributes->size != 1) return parameter;
	pthread_mutex_lock(&lock);
	item *found = *slot(query);
	int32_t status = found ? unlock_keychain() : missing;
	if (!status) put(found, value(attributes, kSecValueData));
	pthread_mutex_unlock(&lock);
	return status;
}

int32_t SecItemDelete(const object *query) {
	pthread_mutex_lock(&lock);
	item **at = slot(query);
	int32_t status = *at ? unlock_keychain() : missing;
	if (!status) *at = (*at)->next;
	pthread_mutex_unlock(&lock);
	return status;
}

int32_t SecKeychainGetStatus(const void *keychain, uint32_t *status) {
	if (keychain) return parameter;
	*status = is_locked ? 2 : 1 | 2 | 4;
	return 0;
}

int32_t SecKeychainUnlock(const void *keychain, uint32_t length, const void *password, unsigned char use_password) {
	if (keychain || length || password || use_password) return parameter;
	pthread_mutex_lock(&lock);
	int32_t status = unlock_keychain();
	pthread_mutex_unlock(&lock);
	return status;
}

int32_t SecKeychainGetUserInteractionAllowed(unsigned char *state) {
	*state = !no_interaction;
	return 0;
}

int32_t SecKeychainSetUserInteractionAllowed(unsigned char state) {
	no_interaction = !state;
	return 0;
}

object *SecCopyErrorMessageString(int32_t status, void *reserved) {
	if (reserved) die("SecCopyErrorMessageString: arguments");
	const char *text = status == missing ? "The specified item could not be found in the keychain."
	                   : status == interaction ? "User interaction is not allowed – 🔒."
	                                           : NULL;
	return text ? make(TEXT, text, strlen(text)) : NULL;
}

// For tests.
long standin_alive(void) { return alive; }
long standin_unwiped(void) { return unwiped; }
void standin_lock(bool user_refuses) { is_locked = true, refuses = user_refuses; }
