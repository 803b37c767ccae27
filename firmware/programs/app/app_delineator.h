/* The stream of an image with a delineator: samples in, events and classes out, which wait until the host has them. */
#ifndef APP_DELINEATOR_H
#define APP_DELINEATOR_H

#include "ecgseg_bytes.h"
#include "ecgseg_protocol.h"

ecgseg_link_error_t app_delineator_start(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_delineator_feed(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_delineator_events(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_delineator_classes(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_delineator_gap(ecgseg_reader_t *request, ecgseg_writer_t *answer);
ecgseg_link_error_t app_delineator_finish(ecgseg_reader_t *request, ecgseg_writer_t *answer);

#endif
