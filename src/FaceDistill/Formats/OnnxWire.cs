using Google.Protobuf;

namespace FaceDistill.Formats;

/// <summary>Protocol-buffer fields, each with its tag, on Google's wire encoder.</summary>
internal static class OnnxWire
{
    /// <summary>A varint field (int32, int64, enum).</summary>
    public static void Int(this CodedOutputStream output, int field, long value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt64(value);
    }

    /// <summary>A single-precision field.</summary>
    public static void Float(this CodedOutputStream output, int field, float value)
    {
        output.WriteTag(field, WireFormat.WireType.Fixed32);
        output.WriteFloat(value);
    }

    /// <summary>A UTF-8 string field, also when it is empty: an empty node input has a meaning.</summary>
    public static void Text(this CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(value);
    }

    /// <summary>A bytes field; the bytes are not copied on the way.</summary>
    public static void Bytes(this CodedOutputStream output, int field, ReadOnlyMemory<byte> value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(value));
    }

    /// <summary>A message field: its length stands before it, so the message is written aside first.</summary>
    public static void Message(this CodedOutputStream output, int field, Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var message = new CodedOutputStream(buffer, leaveOpen: true))
        {
            write(message);
        }

        output.Bytes(field, buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }
}
