/* One webhook message: its signature (Standard Webhooks 1.0), where it may go, and its sending by
 * libcurl. */
#ifndef APP_CMMS_WEBHOOK_H
#define APP_CMMS_WEBHOOK_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEBHOOK_SECRET_SIZE 64
#define WEBHOOK_SIGNATURE_SIZE 64
#define WEBHOOK_MAX_REPLY 65536 /* bytes of an answer that are read */

/* "whsec_" and the base64 of 32 random bytes. */
enum ft_status webhook_new_secret(char out[WEBHOOK_SECRET_SIZE], struct ft_err *err);

/* "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body", keyed with the decoded secret.
 * FT_INVALID when the secret is not one of ours. */
enum ft_status webhook_sign(const char *secret, const char *message_id, int64_t timestamp_s,
                            const char *body, size_t body_len, char out[WEBHOOK_SIGNATURE_SIZE],
                            struct ft_err *err);

/* May messages go there? http or https, without a user name, and host (or host:port) stands in
 * allow, a comma-separated list. FT_INVALID: no such address; FT_REFUSED: not in the list. */
enum ft_status webhook_check_url(const char *url, const char *allow, struct ft_err *err);

struct webhook_request {
    const char *url, *secret, *message_id, *body;
    int64_t timestamp_s;
    const char *allow;
    int64_t timeout_ms;
    bool (*is_stopped)(void *ctx); /* asked about once a second; true ends the try; may be NULL */
    void *ctx;
};
struct webhook_response {
    long status;           /* HTTP status, 0 = no answer */
    char error[300];       /* why it was not delivered; "" when it was */
    int64_t retry_after_s; /* 0 = not said */
    bool was_stopped;      /* by is_stopped(): whether it arrived is not known */
};

/* POSTs the message. Delivered means an answer 2xx. No redirect is followed, no proxy is used. The
 * resolved address is checked when the socket is opened: link-local, multicast and unspecified
 * addresses never; loopback only when the list names this machine (localhost, 127.0.0.1, [::1]). */
void webhook_send(const struct webhook_request *rq, struct webhook_response *out);

#endif
