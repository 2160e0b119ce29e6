/** libjpeg-turbo, compiled to WebAssembly: what {@link JpegDecoder} has of it. It comes without types. */
declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  export interface JPEGDecoder {
    /** Memory of the decoder for a file of so many bytes. */
    getEncodedBuffer(bytes: number): Uint8Array;
    /** @throws a number for what it refuses or warns of */
    decode(): void;
    /** The pixels of the last image, in memory of the decoder. */
    getDecodedBuffer(): Uint8Array;
    getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
  }
  /** @param options where it writes lines to */
  export default function load(options: {
    readonly print: (line: string) => void;
    readonly printErr: (line: string) => void;
  }): Promise<{ readonly JPEGDecoder: new () => JPEGDecoder }>;
}
