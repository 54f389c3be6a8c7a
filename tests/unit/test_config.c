#include "tests/test.h"

#include "app/config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config c;
static struct ft_err err;

static enum ft_status load(const char *text)
{
    return config_load_text(text, "t.conf", &c, &err);
}

static void test_config_load_defaults(void **state)
{
    (void)state;
    assert_ok(load(""), err);
    assert_string_equal(c.host, "127.0.0.1");
    assert_int_equal(c.port, 8080);
    assert_true(c.anonymous_read);
    assert_int_equal(c.header_timeout_ms, 10000);
    assert_string_equal(c.retrain_at, "30 2 * * *");
    assert_string_equal(c.origin[0], "default");
}

static void test_config_load_values(void **state)
{
    (void)state;
    assert_ok(load("; a comment\n[server]\nlisten = [::1]:0\nanonymous_read = no\nworkers=3\n"
                   "header_timeout = 500ms\n[night]\nretrain_at = 0 3 * * 1-5\n"
                   "[webhook]\nallow = cmms.local:8443, 10.0.0.7\n"),
              err);
    assert_string_equal(c.host, "::1");
    assert_int_equal(c.port, 0);
    assert_false(c.anonymous_read);
    assert_int_equal(c.workers, 3);
    assert_int_equal(c.header_timeout_ms, 500);
    assert_string_equal(c.retrain_at, "0 3 * * 1-5");
    assert_true(config_list_has(c.webhook_allow, "10.0.0.7"));
    assert_false(config_list_has(c.webhook_allow, "10.0.0"));
}

static void test_config_load_names_file_and_line(void **state)
{
    (void)state;
    assert_int_equal(load("[server]\nlisten = 127.0.0.1:1\nlisen = x\n"), FT_INVALID);
    assert_non_null(strstr(err.msg, "t.conf line 3"));
    assert_non_null(strstr(err.msg, "lisen"));
    assert_int_equal(load("[sever]\nlisten = 127.0.0.1:1\n"), FT_INVALID);
    assert_non_null(strstr(err.msg, "[sever]"));
    assert_int_equal(load("[server]\nthis is no pair\n"), FT_INVALID);
    assert_non_null(strstr(err.msg, "line 2"));
}

static void test_config_load_bad_values(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[server]\nlisten = 127.0.0.1\n",     "[server]\nlisten = 127.0.0.1:65536\n",
        "[server]\nlisten = ::1:80\n",        "[server]\nlisten = plant:80\n",
        "[server]\nlisten = 127.0.0.1:\n",    "[server]\nlisten = :-1\n",
        "[server]\nanonymous_read = maybe\n", "[server]\nworkers = 0\n",
        "[server]\nworkers = 3x\n",           "[server]\nheader_timeout = 10\n",
        "[server]\nheader_timeout = 1w\n",    "[log]\nlevel = loud\n",
        "[server]\ntls_cert = a.pem\n",       "[night]\nretrain_at = 99 2 * * *\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (load(bad[i]) != FT_INVALID)
            fail_msg("%s was let through", bad[i]);
}

static void test_config_load_off_loopback(void **state)
{
    (void)state;
    assert_int_equal(load("[server]\nlisten = 0.0.0.0:80\n"), FT_REFUSED);
    assert_int_equal(load("[server]\nlisten = [::]:80\n"), FT_REFUSED);
    assert_ok(load("[server]\nlisten = 0.0.0.0:80\ntrusted_proxy = 10.0.0.1\n"), err);
    assert_ok(load("[server]\nlisten = 0.0.0.0:80\ntls_cert = a\ntls_key = b\n"), err);
    assert_ok(load("[server]\nlisten = 127.8.9.1:80\n"), err);
    assert_ok(load("[server]\nlisten = 9000\n"), err);
    assert_string_equal(c.host, "127.0.0.1");
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_config_load_order(void **state)
{
    (void)state;
    char folder[] = "/tmp/fettle-config-XXXXXX", file[64], part[96];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/f.conf", folder);
    put(file,
        "[server]\nworkers = 2\nevent_threads = 2\nmax_connections = 20\nidle_timeout = 5s\n");
    snprintf(part, sizeof(part), "%s/conf.d", folder);
    mkdir(part, 0700);
    snprintf(part, sizeof(part), "%s/conf.d/a.conf", folder);
    put(part, "[server]\nevent_threads = 3\nmax_connections = 30\nidle_timeout = 6s\n");
    setenv("FETTLE_SERVER_MAX_CONNECTIONS", "40", 1);
    setenv("FETTLE_SERVER_IDLE_TIMEOUT", "7s", 1);
    const struct config_override flag[] = {{"server.idle_timeout", "8s", "--idle"},
                                           {"server.workers", NULL, "--workers"}};
    assert_ok(config_load(file, flag, 2, &c, &err), err);
    assert_int_equal(c.workers, 2);
    assert_int_equal(c.event_threads, 3);
    assert_int_equal(c.max_connections, 40);
    assert_int_equal(c.idle_timeout_ms, 8000);
    struct config_row row;
    bool seen = false;
    for (size_t i = 0; config_row(&c, i, &row); i++) {
        if (strcmp(row.key, "idle_timeout") == 0)
            assert_string_equal(row.origin, "--idle");
        if (strcmp(row.key, "max_connections") == 0)
            assert_string_equal(row.origin, "FETTLE_SERVER_MAX_CONNECTIONS");
        seen = seen || (strcmp(row.key, "workers") == 0 && strcmp(row.value, "2") == 0);
    }
    assert_true(seen);
    unsetenv("FETTLE_SERVER_IDLE_TIMEOUT");
    setenv("FETTLE_SERVER_MAX_CONECTIONS", "1", 1);
    assert_int_equal(config_load(file, NULL, 0, &c, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "FETTLE_SERVER_MAX_CONECTIONS"));
    unsetenv("FETTLE_SERVER_MAX_CONECTIONS");
    unsetenv("FETTLE_SERVER_MAX_CONNECTIONS");
    assert_int_equal(config_load("/nowhere/f.conf", NULL, 0, &c, &err), FT_NOT_FOUND);
    unlink(part);
    unlink(file);
    snprintf(part, sizeof(part), "%s/conf.d", folder);
    rmdir(part);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_load_defaults),
        cmocka_unit_test(test_config_load_values),
        cmocka_unit_test(test_config_load_names_file_and_line),
        cmocka_unit_test(test_config_load_bad_values),
        cmocka_unit_test(test_config_load_off_loopback),
        cmocka_unit_test(test_config_load_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
