/** Routes, bodies and problems; nothing is decided here. */
@NullMarked
package dev.countersign.server.http;

import org.jspecify.annotations.NullMarked;
