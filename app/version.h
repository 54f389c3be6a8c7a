/* Version of the program; stands in model files, replies and the man page. */
#ifndef APP_VERSION_H
#define APP_VERSION_H

#define FETTLE_VERSION "0.1.0"

#endif
