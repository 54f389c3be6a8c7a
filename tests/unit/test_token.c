#include "tests/test.h"

#include "app/token.h"
#include "web/http/auth.h"

static void test_token_new_reads_back(void **state)
{
    (void)state;
    struct token made, read, other;
    struct ft_err err;
    assert_ok(token_new(&made, &err), err);
    assert_ok(token_new(&other, &err), err);
    assert_string_not_equal(made.text, other.text);
    assert_null(strstr(made.text, made.hash));
    assert_true(token_read(made.text, &read));
    assert_string_equal(read.public_id, made.public_id);
    assert_true(token_is_same(read.hash, made.hash));
    assert_false(token_is_same(read.hash, other.hash));
    assert_false(token_is_same(read.hash, ""));
}

static void test_token_read_bad(void **state)
{
    (void)state;
    struct token made, t;
    struct ft_err err;
    char text[TOKEN_TEXT_SIZE + 4];
    assert_ok(token_new(&made, &err), err);
    assert_false(token_read("", &t));
    assert_false(token_read("fettle_", &t));
    assert_false(token_read("fettle_12_34", &t));
    snprintf(text, sizeof(text), "%sx", made.text);
    assert_false(token_read(text, &t));
    snprintf(text, sizeof(text), "%s", made.text);
    text[strlen(text) - 1] = '\0';
    assert_false(token_read(text, &t));
    snprintf(text, sizeof(text), "%s", made.text);
    text[0] = 'F';
    assert_false(token_read(text, &t));
    snprintf(text, sizeof(text), "%s", made.text);
    text[30] = '\'';
    assert_false(token_read(text, &t));
}

static void test_token_sha256_known(void **state)
{
    (void)state;
    char hash[TOKEN_HASH_SIZE];
    token_sha256("abc", 3, hash); /* FIPS 180-4, example */
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_auth_may_roles(void **state)
{
    (void)state;
    assert_true(auth_may(ROLE_ADMIN, ROLE_VIEWER, false));
    assert_true(auth_may(ROLE_PLANNER, ROLE_PLANNER, true));
    assert_false(auth_may(ROLE_PLANNER, ROLE_ENGINEER, true));
    assert_false(auth_may(ROLE_NONE, ROLE_VIEWER, false));
    assert_true(auth_may(ROLE_INGEST, ROLE_PLANNER, true));
    assert_false(auth_may(ROLE_INGEST, ROLE_VIEWER, false)); /* it reads nothing */
    assert_false(auth_may(ROLE_INGEST, ROLE_ADMIN, false));
}

static void test_token_role_parse(void **state)
{
    (void)state;
    enum token_role role;
    struct ft_err err;
    assert_ok(token_role_parse("engineer", &role, &err), err);
    assert_int_equal(role, ROLE_ENGINEER);
    assert_int_equal(token_role_parse("none", &role, &err), FT_INVALID);
    assert_int_equal(token_role_parse("Admin", &role, &err), FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_new_reads_back), cmocka_unit_test(test_token_read_bad),
        cmocka_unit_test(test_token_sha256_known),   cmocka_unit_test(test_auth_may_roles),
        cmocka_unit_test(test_token_role_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
