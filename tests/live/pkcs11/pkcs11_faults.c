/* A PKCS#11 library that stands in front of SoftHSM, writes down what it is asked, and fails as it is told.
 *
 * `tests/live/pkcs11/main.rs` makes one copy of it for each test: beside the copy NAME.so, NAME.so.calls gets a line for every call, and
 * NAME.so.faults has lines `FUNCTION ACTION TIMES`. An action is a return code in hex, `hang` (until the line is gone) or `close`
 * (close all sessions of the slot behind the caller's back). `C_Encrypt damage 1` changes what comes out. `C_GetMechanismInfo data 1` makes it an HSM that does key wrapping by
 * C_Encrypt and C_Decrypt, which SoftHSM does by C_WrapKey and C_UnwrapKey alone. `C_EncryptInit draws-71 1` makes it one that draws
 * the IV of AES-GCM itself, and answers 71 to an IV that is not zero; `zero-71` leaves the zeros. `C_OpenSession rw 1` refuses
 * read-only sessions, and `C_GetAttributeValue sensitive 1` does not hand values of objects out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long Number;
typedef void *Pointer;
typedef Number (*Function)();

enum { GET_INFO = 2, GET_SLOT_LIST = 4, GET_MECHANISM_INFO = 8, OPEN_SESSION = 12, CLOSE_SESSION = 13, CLOSE_ALL_SESSIONS = 14, LOGIN = 18, CREATE_OBJECT = 20, DESTROY_OBJECT = 22,
       GET_ATTRIBUTE_VALUE = 24, FIND_OBJECTS_INIT = 26, ENCRYPT_INIT = 29,
       ENCRYPT = 30, DECRYPT_INIT = 33, DECRYPT = 34, WRAP_KEY = 60, UNWRAP_KEY = 61, FUNCTIONS = 68 };

struct List {
    unsigned char version[2];
    Function functions[FUNCTIONS];
};

static struct List real, ours;
static Number slot;

static const char *beside(char *path, const char *suffix)
{
    Dl_info info;
    dladdr((Pointer)&real, &info);
    snprintf(path, 4096, "%s%s", info.dli_fname, suffix);
    return path;
}

static int told(const char *function, char *action, int *times)
{
    char path[4096], name[64];
    FILE *file = fopen(beside(path, ".faults"), "r");
    int found = 0;
    while (file && !found && fscanf(file, "%63s %31s %d", name, action, times) == 3)
        found = strcmp(name, function) == 0;
    if (file)
        fclose(file);
    return found;
}

/* A code to return instead of calling, or 0. */
static Number fault(const char *function, int *done)
{
    char path[4096], action[32];
    int times, calls = open(beside(path, ".calls"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (calls >= 0) {
        snprintf(path, sizeof path, "%s\n", function);
        if (write(calls, path, strlen(path)) < 0)
            abort();
        close(calls);
    }
    if (!told(function, action, &times) || __sync_add_and_fetch(done, 1) > times)
        return 0;
    if (strcmp(action, "close") == 0) {
        real.functions[CLOSE_ALL_SESSIONS](slot);
        return 0;
    }
    if (strcmp(action, "hang") == 0) {
        while (told(function, action, &times))
            usleep(10 * 1000);
        return 0;
    }
    if (strcmp(action, "damage") == 0)
        return 0;
    return strtoul(action, NULL, 16);
}

#define IN_FRONT_OF(index, name, parameters, arguments)                                                   \
    static Number name parameters                                                                        \
    {                                                                                                     \
        static int done;                                                                                  \
        Number code = fault(#name, &done);                                                                \
        return code ? code : ((Number(*) parameters)real.functions[index])arguments;                      \
    }

IN_FRONT_OF(GET_INFO, C_GetInfo, (Pointer info), (info))
IN_FRONT_OF(GET_SLOT_LIST, C_GetSlotList, (unsigned char present, Pointer list, Pointer count), (present, list, count))
IN_FRONT_OF(CLOSE_SESSION, C_CloseSession, (Number session), (session))
IN_FRONT_OF(LOGIN, C_Login, (Number session, Number user, Pointer pin, Number length), (session, user, pin, length))
IN_FRONT_OF(FIND_OBJECTS_INIT, C_FindObjectsInit, (Number session, Pointer template, Number count), (session, template, count))
IN_FRONT_OF(UNWRAP_KEY, C_UnwrapKey,
            (Number session, Pointer mechanism, Number key, Pointer in, Number length, Pointer template, Number count, Number *object),
            (session, mechanism, key, in, length, template, count, object))
IN_FRONT_OF(DESTROY_OBJECT, C_DestroyObject, (Number session, Number object), (session, object))

struct Mechanism {
    Number type;
    Pointer parameter;
    Number length;
};

struct Attribute {
    Number type;
    Pointer value;
    Number length;
};

/* Key wrapping of data that was begun, by the one caller that there is then. */
static struct Mechanism begun;
static Number begun_key;

static int wraps_data(Number mechanism)
{
    char action[32];
    int times;
    return (mechanism == 0x2109 || mechanism == 0x210a) && told("C_GetMechanismInfo", action, &times);
}

static Number C_GetMechanismInfo(Number in, Number mechanism, Number *info)
{
    Number code = ((Number(*)(Number, Number, Number *))real.functions[GET_MECHANISM_INFO])(in, mechanism, info);
    if (code == 0 && wraps_data(mechanism))
        info[2] |= 0x100 | 0x200; /* CKF_ENCRYPT, CKF_DECRYPT */
    return code;
}

static Number begin(int index, Number session, struct Mechanism *mechanism, Number key)
{
    begun.type = 0;
    if (!wraps_data(mechanism->type))
        return ((Number(*)(Number, struct Mechanism *, Number))real.functions[index])(session, mechanism, key);
    begun = *mechanism;
    begun_key = key;
    return 0;
}

static int is_zero(const unsigned char *bytes, Number length)
{
    while (length > 0 && bytes[length - 1] == 0)
        length--;
    return length == 0;
}

static Number C_EncryptInit(Number session, struct Mechanism *mechanism, Number key)
{
    struct { unsigned char *iv; Number length; } *gcm = mechanism->parameter;
    char action[32];
    int times;
    if (mechanism->type == 0x1087 && told("C_EncryptInit", action, &times)) {
        if (!is_zero(gcm->iv, gcm->length))
            return strtoul(action + strcspn(action, "0123456789"), NULL, 16);
        if (strncmp(action, "draws", 5) == 0 && getentropy(gcm->iv, gcm->length) != 0)
            abort();
    }
    return begin(ENCRYPT_INIT, session, mechanism, key);
}

static Number C_DecryptInit(Number session, struct Mechanism *mechanism, Number key)
{
    static int done;
    Number code = fault("C_DecryptInit", &done);
    return code ? code : begin(DECRYPT_INIT, session, mechanism, key);
}

/* Through an object of the session, as it is done by SoftHSM. */
static Number wrap_data(int encrypt, Number session, char *in, Number length, char *out, Number *out_length)
{
    unsigned char yes = 1, no = 0;
    Number secret = 4, generic = 0x10, object, code;
    struct Attribute template[] = {
        { 0, &secret, sizeof secret }, { 0x100, &generic, sizeof generic }, { 1, &no, 1 }, { 2, &yes, 1 },
        { 0x103, &no, 1 }, { 0x162, &yes, 1 }, { 0x11, in, length },
    }, value = { 0x11, out, *out_length };
    if (!out) {
        *out_length = encrypt ? length + 8 : length - 8;
        return 0;
    }
    if (encrypt) {
        code = ((Number(*)(Number, struct Attribute *, Number, Number *))real.functions[CREATE_OBJECT])(
            session, template, 7, &object);
        code = code ? code
                    : ((Number(*)(Number, struct Mechanism *, Number, Number, char *, Number *))real.functions[WRAP_KEY])(
                          session, &begun, begun_key, object, out, out_length);
    } else {
        code = ((Number(*)(Number, struct Mechanism *, Number, char *, Number, struct Attribute *, Number, Number *))
                    real.functions[UNWRAP_KEY])(session, &begun, begun_key, in, length, template, 6, &object);
        code = code ? code
                    : ((Number(*)(Number, Number, struct Attribute *, Number))real.functions[GET_ATTRIBUTE_VALUE])(
                          session, object, &value, 1);
        *out_length = value.length;
    }
    if (code == 0)
        ((Number(*)(Number, Number))real.functions[DESTROY_OBJECT])(session, object);
    return code;
}

#define CRYPT(index, name, encrypt)                                                                       \
    static Number name(Number session, char *in, Number length, char *out, Number *out_length)           \
    {                                                                                                     \
        static int done;                                                                                  \
        char action[32];                                                                                  \
        int times;                                                                                        \
        Number code = fault(#name, &done);                                                                \
        if (code)                                                                                         \
            return code;                                                                                  \
        if (begun.type)                                                                                   \
            return wrap_data(encrypt, session, in, length, out, out_length);                              \
        code = ((Number(*)(Number, char *, Number, char *, Number *))real.functions[index])(              \
            session, in, length, out, out_length);                                                        \
        if (code == 0 && out && told(#name, action, &times) && strcmp(action, "damage") == 0)             \
            out[0] ^= 1;                                                                                  \
        return code;                                                                                      \
    }

CRYPT(ENCRYPT, C_Encrypt, 1)
CRYPT(DECRYPT, C_Decrypt, 0)

static Number C_OpenSession(Number in, Number flags, Pointer application, Pointer notify, Number *session)
{
    static int done;
    char action[32];
    int times;
    Number code = fault("C_OpenSession", &done);
    slot = in;
    if (told("C_OpenSession", action, &times) && strcmp(action, "rw") == 0)
        code = flags & 2 ? 0 : 0xb5;
    return code ? code
                : ((Number(*)(Number, Number, Pointer, Pointer, Number *))real.functions[OPEN_SESSION])(
                      in, flags, application, notify, session);
}

static Number C_GetAttributeValue(Number session, Number object, struct Attribute *template, Number count)
{
    char action[32];
    int times;
    if (count == 1 && template->type == 0x11 && told("C_GetAttributeValue", action, &times)) {
        template->length = -1;
        return 0x11; /* CKR_ATTRIBUTE_SENSITIVE */
    }
    return ((Number(*)(Number, Number, struct Attribute *, Number))real.functions[GET_ATTRIBUTE_VALUE])(
        session, object, template, count);
}

Number C_GetFunctionList(struct List **list)
{
    Pointer library = dlopen(getenv("RXSEAL_TEST_SOFTHSM"), RTLD_NOW | RTLD_LOCAL);
    struct List *of_softhsm;
    if (!library || ((Number(*)(struct List **))dlsym(library, "C_GetFunctionList"))(&of_softhsm) != 0)
        return 5;
    real = ours = *of_softhsm;
    ours.functions[GET_INFO] = (Function)C_GetInfo;
    ours.functions[GET_SLOT_LIST] = (Function)C_GetSlotList;
    ours.functions[GET_MECHANISM_INFO] = (Function)C_GetMechanismInfo;
    ours.functions[GET_ATTRIBUTE_VALUE] = (Function)C_GetAttributeValue;
    ours.functions[UNWRAP_KEY] = (Function)C_UnwrapKey;
    ours.functions[DESTROY_OBJECT] = (Function)C_DestroyObject;
    ours.functions[ENCRYPT_INIT] = (Function)C_EncryptInit;
    ours.functions[OPEN_SESSION] = (Function)C_OpenSession;
    ours.functions[CLOSE_SESSION] = (Function)C_CloseSession;
    ours.functions[LOGIN] = (Function)C_Login;
    ours.functions[FIND_OBJECTS_INIT] = (Function)C_FindObjectsInit;
    ours.functions[ENCRYPT] = (Function)C_Encrypt;
    ours.functions[DECRYPT_INIT] = (Function)C_DecryptInit;
    ours.functions[DECRYPT] = (Function)C_Decrypt;
    *list = &ours;
    return 0;
}
