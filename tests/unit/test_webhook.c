#include "tests/test.h"

#include "app/cmms/cmms_outbox.h"
#include "app/cmms/webhook.h"

/* Vector of the Standard Webhooks reference libraries (their test of sign()). */
static void test_webhook_sign_vector(void **state)
{
    (void)state;
    char signature[WEBHOOK_SIGNATURE_SIZE];
    struct ft_err err;
    static const char body[] = "{\"test\": 2432232314}";
    assert_ok(webhook_sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                           1614265330, body, strlen(body), signature, &err),
              err);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_int_equal(webhook_sign("MfKQ", "m", 1, body, 1, signature, &err), FT_INVALID);
    assert_int_equal(webhook_sign("whsec_!!", "m", 1, body, 1, signature, &err), FT_INVALID);
}

static void test_webhook_new_secret(void **state)
{
    (void)state;
    char a[WEBHOOK_SECRET_SIZE], b[WEBHOOK_SECRET_SIZE], signature[WEBHOOK_SIGNATURE_SIZE];
    struct ft_err err;
    assert_ok(webhook_new_secret(a, &err), err);
    assert_ok(webhook_new_secret(b, &err), err);
    assert_string_not_equal(a, b);
    assert_int_equal(strncmp(a, "whsec_", 6), 0);
    assert_int_equal(strlen(a), 50);
    assert_ok(webhook_sign(a, "m", 1, "x", 1, signature, &err), err);
}

static void test_webhook_check_url(void **state)
{
    (void)state;
    struct ft_err err;
    const char *allow = "cmms.example, 10.1.2.3:8443,[::1]";
    assert_ok(webhook_check_url("https://cmms.example/hooks?x=1", allow, &err), err);
    assert_ok(webhook_check_url("http://CMMS.example:81/", allow, &err), err);
    assert_ok(webhook_check_url("https://10.1.2.3:8443/", allow, &err), err);
    assert_ok(webhook_check_url("http://[::1]:99/", allow, &err), err);
    assert_int_equal(webhook_check_url("https://10.1.2.3/", allow, &err), FT_REFUSED);
    assert_int_equal(webhook_check_url("https://evil.example/", allow, &err), FT_REFUSED);
    assert_int_equal(webhook_check_url("https://cmms.example.evil/", allow, &err), FT_REFUSED);
    assert_int_equal(webhook_check_url("https://cmms.example/", "", &err), FT_REFUSED);
    static const char *const bad[] = {"",
                                      "ftp://cmms.example/",
                                      "file:///etc/passwd",
                                      "https://",
                                      "https://a@cmms.example/",
                                      "https://cmms.example\\@x/",
                                      "https://cmms.example:0/",
                                      "https://cmms.example:99999/",
                                      "https://cmms.example/ x",
                                      "https://cmms.example/#a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (webhook_check_url(bad[i], allow, &err) != FT_INVALID)
            fail_msg("%s was let through", bad[i]);
}

static void test_outbox_backoff_grows(void **state)
{
    (void)state;
    assert_in_range(outbox_backoff_ms(1, 0), 3750, 3750);
    assert_in_range(outbox_backoff_ms(1, UINT32_MAX), 6240, 6250);
    int64_t before = 0;
    for (int64_t n = 1; n < 40; n++) {
        const int64_t ms = outbox_backoff_ms(n, UINT32_C(0x80000000));
        assert_true(ms >= before);
        assert_true(ms <= INT64_C(86400000) * 5 / 4);
        before = ms;
    }
    assert_in_range(before, 86000000, 87000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhook_sign_vector),
        cmocka_unit_test(test_webhook_new_secret),
        cmocka_unit_test(test_webhook_check_url),
        cmocka_unit_test(test_outbox_backoff_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
