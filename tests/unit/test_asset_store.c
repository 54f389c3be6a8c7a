#include "tests/db_fixture.h"

static void test_class_ensure_and_update(void **state)
{
    struct db_fixture *f = *state;
    struct asset_class c;
    struct asset_class_list list;
    int64_t a = 0;
    int64_t b = 0;
    assert_ok(class_ensure(f->db, "pump", &a, &f->err), f->err);
    assert_ok(class_ensure(f->db, NULL, &b, &f->err), f->err);
    assert_int_not_equal(a, b);
    assert_ok(class_ensure(f->db, "pump", &b, &f->err), f->err);
    assert_int_equal(a, b);
    assert_ok(class_find(f->db, "pump", &c, &f->err), f->err);
    assert_int_equal(c.cycle_ms, 0);
    assert_true(c.downtime_minor_per_h == DB_NO_MONEY);
    c.cycle_ms = 86400000;
    c.downtime_minor_per_h = 123456;
    assert_ok(class_update(f->db, &c, &f->err), f->err);
    asset_class_clear(&c);
    assert_ok(class_list(f->db, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0].name, "default");
    assert_string_equal(list.items[1].name, "pump");
    assert_int_equal(list.items[1].cycle_ms, 86400000);
    assert_int_equal(list.items[1].downtime_minor_per_h, 123456);
    assert_true(list.items[1].false_alarm_minor == DB_NO_MONEY);
    list.items[1].id = 777;
    assert_int_equal(class_update(f->db, &list.items[1], &f->err), FT_NOT_FOUND);
    list.items[1].id = a;
    list.items[1].cycle_ms = -5;
    assert_int_equal(class_update(f->db, &list.items[1], &f->err), FT_INVALID);
    asset_class_list_free(&list);
    assert_int_equal(class_find(f->db, "fan", &c, &f->err), FT_NOT_FOUND);
    assert_non_null(strstr(f->err.msg, "'fan'"));
}

static void test_ensure_bad_names(void **state)
{
    struct db_fixture *f = *state;
    char name[900] = "";
    int64_t id;
    for (int i = 0; i < 201; i++)
        strncat(name, "\xc3\xa9", sizeof(name) - strlen(name) - 1); /* e with an accent */
    assert_int_equal(class_ensure(f->db, "", &id, &f->err), FT_INVALID);
    assert_int_equal(asset_ensure(f->db, name, NULL, &id, &f->err), FT_INVALID);
    assert_int_equal(sensor_ensure(f->db, 1, name, &id, &f->err), FT_INVALID);
    name[400] = '\0'; /* 200 characters of 2 bytes */
    assert_ok(asset_ensure(f->db, name, NULL, &id, &f->err), f->err);
    assert_int_equal(sensor_ensure(f->db, 999, "temp", &id, &f->err), FT_INVALID);
    assert_int_equal(component_ensure(f->db, 999, "bearing", &id, &f->err), FT_INVALID);
    assert_non_null(strstr(f->err.msg, "bearing"));
}

static void test_component_update(void **state)
{
    struct db_fixture *f = *state;
    struct component_list list;
    int64_t class_id = 0;
    int64_t id = 0;
    int64_t again = 0;
    assert_ok(class_ensure(f->db, "pump", &class_id, &f->err), f->err);
    assert_ok(component_ensure(f->db, class_id, "seal", &id, &f->err), f->err);
    assert_ok(component_ensure(f->db, class_id, "seal", &again, &f->err), f->err);
    assert_int_equal(id, again);
    assert_ok(component_ensure(f->db, class_id, "bearing", &again, &f->err), f->err);
    assert_ok(component_list(f->db, class_id, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0].name, "bearing");
    assert_true(isnan(list.items[1].planned_h));
    assert_null(list.items[1].spare);
    list.items[1].planned_h = 2.5;
    list.items[1].planned_repair_minor = 40000;
    list.items[1].spare = strdup("SKF 6205");
    list.items[1].spare_lead_ms = 86400000;
    assert_ok(component_update(f->db, &list.items[1], &f->err), f->err);
    component_list_free(&list);
    assert_ok(component_list(f->db, 0, &list, &f->err), f->err);
    assert_close(list.items[1].planned_h, 2.5, 0);
    assert_true(isnan(list.items[1].unplanned_h));
    assert_int_equal(list.items[1].planned_repair_minor, 40000);
    assert_string_equal(list.items[1].spare, "SKF 6205");
    assert_int_equal(list.items[1].spare_lead_ms, 86400000);
    component_list_free(&list);
    assert_ok(component_list(f->db, class_id + 1, &list, &f->err), f->err);
    assert_int_equal(list.n, 0);
    component_list_free(&list);
}

static void test_asset_ensure_and_update(void **state)
{
    struct db_fixture *f = *state;
    struct asset a;
    struct asset_list list;
    int64_t id = 0;
    int64_t again = 0;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &id, &f->err), f->err);
    assert_ok(asset_ensure(f->db, "P-7", NULL, &again, &f->err), f->err);
    assert_int_equal(id, again);
    assert_int_equal(asset_ensure(f->db, "P-7", "fan", &again, &f->err), FT_CONFLICT);
    assert_ok(asset_ensure(f->db, "A-1", NULL, &again, &f->err), f->err);
    assert_ok(asset_find(f->db, "P-7", &a, &f->err), f->err);
    assert_null(a.name);
    assert_true(a.retired_ms == DB_NO_TIME && a.true_rul_ms == DB_NO_TIME);
    a.name = strdup("Stock pump 7");
    a.commissioned_ms = 0; /* 1970 is an instant, not "none" */
    a.is_held_out = true;
    assert_ok(asset_update(f->db, &a, &f->err), f->err);
    asset_clear(&a);
    assert_ok(asset_get(f->db, id, &a, &f->err), f->err);
    assert_string_equal(a.name, "Stock pump 7");
    assert_int_equal(a.commissioned_ms, 0);
    assert_true(a.is_held_out);
    assert_ok(asset_list(f->db, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0].key, "A-1");
    asset_list_free(&list);
    assert_ok(asset_list(f->db, a.class_id, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    asset_list_free(&list);
    free(a.key);
    a.key = strdup("A-1");
    assert_int_equal(asset_update(f->db, &a, &f->err), FT_CONFLICT);
    asset_clear(&a);
    assert_int_equal(asset_get(f->db, 99, &a, &f->err), FT_NOT_FOUND);
}

static void test_asset_attributes(void **state)
{
    struct db_fixture *f = *state;
    struct attribute_list list;
    int64_t id = 0;
    int64_t other = 0;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &id, &f->err), f->err);
    assert_ok(asset_ensure(f->db, "P-8", "pump", &other, &f->err), f->err);
    assert_ok(asset_attribute_set(f->db, id, "model", "model3", &f->err), f->err);
    assert_ok(asset_attribute_set(f->db, id, "age", "18", &f->err), f->err);
    assert_ok(asset_attribute_set(f->db, id, "age", "19", &f->err), f->err);
    assert_ok(asset_attribute_set(f->db, other, "age", "7", &f->err), f->err);
    const int64_t version = db_data_version(f->db);
    assert_ok(asset_attribute_set(f->db, id, "age", "19", &f->err), f->err);
    assert_int_equal(db_data_version(f->db), version);
    assert_int_equal(asset_attribute_set(f->db, 99, "age", "19", &f->err), FT_INVALID);
    assert_ok(asset_attribute_list(f->db, id, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0].name, "age");
    assert_string_equal(list.items[0].value, "19");
    assert_string_equal(list.items[1].value, "model3");
    attribute_list_free(&list);
    assert_ok(asset_attribute_list(f->db, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 3);
    attribute_list_free(&list);
}

static void test_sensor_ensure_and_update(void **state)
{
    struct db_fixture *f = *state;
    struct sensor_list list;
    int64_t asset_id = 0;
    int64_t other = 0;
    int64_t id = 0;
    int64_t again = 0;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &asset_id, &f->err), f->err);
    assert_ok(asset_ensure(f->db, "A-1", "pump", &other, &f->err), f->err);
    assert_ok(sensor_ensure(f->db, asset_id, "vib", &id, &f->err), f->err);
    assert_ok(sensor_ensure(f->db, asset_id, "vib", &again, &f->err), f->err);
    assert_int_equal(id, again);
    assert_ok(sensor_ensure(f->db, other, "vib", &again, &f->err), f->err);
    assert_int_not_equal(id, again);
    assert_ok(sensor_list(f->db, asset_id, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    assert_null(list.items[0].unit);
    list.items[0].unit = strdup("mm/s");
    list.items[0].role = SENSOR_ROLE_METER;
    assert_ok(sensor_update(f->db, &list.items[0], &f->err), f->err);
    sensor_list_free(&list);
    assert_ok(sensor_list(f->db, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.items[0].asset_id, other);
    assert_string_equal(list.items[1].unit, "mm/s");
    assert_int_equal(list.items[1].role, SENSOR_ROLE_METER);
    sensor_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_class_ensure_and_update), db_test(test_ensure_bad_names),
        db_test(test_component_update),        db_test(test_asset_ensure_and_update),
        db_test(test_asset_attributes),        db_test(test_sensor_ensure_and_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
