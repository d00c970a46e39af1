/** The values that tenants give to the parameters and lists of packs. */
@NullMarked
package dev.countersign.server.settings;

import org.jspecify.annotations.NullMarked;
