#include "tests/test.h"

#include "app/work_order_json.h"

static void test_work_order_may_change_paths(void **state)
{
    assert_true(work_order_may_change("draft", "approved"));
    assert_true(work_order_may_change("approved", "closed"));
    assert_true(work_order_may_change("done", "closed"));
    assert_true(work_order_may_change("closed", "closed"));
    assert_false(work_order_may_change("closed", "draft"));
    assert_false(work_order_may_change("draft", "done"));
    assert_false(work_order_may_change("draft", "sch"));
    assert_false(work_order_may_change("draft", "gone"));
    assert_false(work_order_may_change("gone", "draft"));
    assert_false(work_order_may_change("cancelled", "in_progress"));
}

static void test_work_order_is_open_words(void **state)
{
    assert_true(work_order_is_open("on_hold"));
    assert_false(work_order_is_open("done"));
    assert_false(work_order_is_open("Draft"));
    assert_true(work_order_is_kind("emergency"));
    assert_false(work_order_is_kind("repair"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_order_may_change_paths),
        cmocka_unit_test(test_work_order_is_open_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
