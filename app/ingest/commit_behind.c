#include "app/ingest/commit_behind.h"

#include "db/db.h"

static void *commit(void *arg)
{
    struct commit_behind *c = arg;
    c->status = db_commit(c->db, &c->err);
    if (c->status == FT_OK)
        db_checkpoint(c->db);
    return NULL;
}

void commit_behind_start(struct commit_behind *c, struct db *db)
{
    c->db = db;
    c->is_running = pthread_create(&c->thread, NULL, commit, c) == 0;
    if (!c->is_running)
        commit(c);
}

enum ft_status commit_behind_wait(struct commit_behind *c, struct ft_err *err)
{
    if (c->is_running)
        pthread_join(c->thread, NULL);
    const enum ft_status st = c->status;
    if (st != FT_OK)
        ft_fail(err, st, "%s", c->err.msg);
    c->is_running = false;
    c->status = FT_OK;
    return st;
}
