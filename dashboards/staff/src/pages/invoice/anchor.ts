/** Where on the page an exchange stands; its name is "day/id", and two exchanges can have the same bytes. */
export function anchorOf(exchange: string): string {
  return `exchange-${exchange.replace('/', '-')}`
}
