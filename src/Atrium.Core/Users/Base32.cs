using System.Diagnostics.CodeAnalysis;

namespace Atrium.Core.Users;

/// <summary>RFC 4648 section 6: how authenticator apps show and take a TOTP secret.</summary>
public static class Base32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const int BitsOfDigit = 5, BitsOfByte = 8;

    /// <summary>Upper case, without padding: authenticator apps refuse the padded form.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[(bytes.Length * BitsOfByte + BitsOfDigit - 1) / BitsOfDigit];
        int buffer = 0, bits = 0, written = 0;
        foreach (var value in bytes)
        {
            buffer = (buffer << BitsOfByte | value) & 0xFFFF;
            for (bits += BitsOfByte; bits >= BitsOfDigit; written++)
            {
                bits -= BitsOfDigit;
                text[written] = Alphabet[buffer >> bits & 0x1F];
            }
        }
        if (bits > 0)
            text[written] = Alphabet[buffer << BitsOfDigit - bits & 0x1F];
        return new(text);
    }

    /// <summary>
    /// Takes what people copy: either case, spaces anywhere, with or without padding. False for any other character, and
    /// for a text that no encoder writes, because part of it was lost (RFC 4648 section 3.5).
    /// </summary>
    public static bool TryDecode(string text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        var digits = text.Replace(" ", "").TrimEnd('=');
        var decoded = new byte[digits.Length * BitsOfDigit / BitsOfByte];
        int buffer = 0, bits = 0, written = 0;
        foreach (var digit in digits)
        {
            // Only ASCII letters have a second case here: U+017F would otherwise become an S.
            var value = Alphabet.IndexOf(char.IsAsciiLetterLower(digit) ? (char)(digit - 'a' + 'A') : digit);
            if (value < 0)
                return false;
            buffer = (buffer << BitsOfDigit | value) & 0xFFF;
            bits += BitsOfDigit;
            if (bits >= BitsOfByte)
            {
                bits -= BitsOfByte;
                decoded[written++] = (byte)(buffer >> bits);
            }
        }
        if (bits >= BitsOfDigit || (buffer & (1 << bits) - 1) != 0)
            return false;
        bytes = decoded;
        return true;
    }
}
