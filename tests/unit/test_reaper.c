/* Slow clients are ended by total time; what we work on ourselves is not. Nothing is timed here:
 * the test waits until the other end sees the connection close. */
#include "tests/test.h"

#include "web/http/reaper.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct reaper_limits short_limits = {.header_s = 0.01,
                                                  .idle_s = 0.01,
                                                  .body_grace_s = 0.01,
                                                  .reply_grace_s = 0.01,
                                                  .bytes_per_s = 1000};

static void wait_for_end(int fd)
{
    char byte;
    assert_int_equal(read(fd, &byte, 1), 0); /* end of file: it was shut down */
}

static void test_reaper_ends_every_slow_phase(void **state)
{
    static const enum reaper_phase phases[] = {REAPER_HEADER, REAPER_IDLE, REAPER_BODY,
                                               REAPER_REPLY};
    struct reaper *r;
    struct ft_err err;
    int pair[4][2];
    struct reaper_slot *slots[4];
    (void)state;
    assert_ok(reaper_new(&short_limits, &r, &err), err);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]), 0);
        slots[i] = reaper_add(r, pair[i][0]);
        assert_non_null(slots[i]);
        reaper_phase(r, slots[i], phases[i], 1);
    }
    for (size_t i = 0; i < 4; i++)
        wait_for_end(pair[i][1]);
    assert_int_equal(reaper_n_open(r), 4); /* the library closes, not the reaper */
    for (size_t i = 0; i < 4; i++) {
        assert_true(fcntl(pair[i][0], F_GETFD) >= 0);
        reaper_remove(r, slots[i]);
        close(pair[i][0]);
        close(pair[i][1]);
    }
    assert_int_equal(reaper_n_open(r), 0);
    assert_int_equal(reaper_n_ended(r), 4);
    reaper_free(r);
}

static void test_reaper_leaves_work_and_large_replies(void **state)
{
    struct reaper *r;
    struct ft_err err;
    int slow[2];
    int working[2];
    int large[2];
    char byte;
    (void)state;
    assert_ok(reaper_new(&short_limits, &r, &err), err);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, working), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, large), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, slow), 0);
    struct reaper_slot *a = reaper_add(r, working[0]);
    reaper_phase(r, a, REAPER_WORK, 0);
    struct reaper_slot *b = reaper_add(r, large[0]);
    reaper_phase(r, b, REAPER_REPLY, 1000 * 1000 * 1000); /* 11 days at a byte a millisecond */
    struct reaper_slot *c = reaper_add(r, slow[0]);
    wait_for_end(slow[1]);
    assert_int_equal(reaper_n_ended(r), 1);
    assert_int_equal(recv(working[1], &byte, 1, MSG_DONTWAIT), -1); /* open, with nothing to read */
    assert_int_equal(recv(large[1], &byte, 1, MSG_DONTWAIT), -1);
    reaper_remove(r, c);
    reaper_free(r); /* with a and b in it: their slots go too */
    for (size_t i = 0; i < 2; i++) {
        close(slow[i]);
        close(working[i]);
        close(large[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reaper_ends_every_slow_phase),
        cmocka_unit_test(test_reaper_leaves_work_and_large_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
