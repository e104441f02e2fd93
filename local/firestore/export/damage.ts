/** An export that cannot be read, and where: the file, and the byte at which the part begins that is wrong. */
export class DamagedExport extends Error {
  constructor(file: string, at: number | undefined, complaint: string) {
    super(`${file}${at === undefined ? "" : `, byte ${at}`}: ${complaint}`);
  }
}
