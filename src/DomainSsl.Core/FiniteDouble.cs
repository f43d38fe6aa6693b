using System.Text.Json;
using System.Text.Json.Serialization;

namespace DomainSsl.Core;

/// <summary>Writes what JSON has no word for, NaN and the infinities, as null; reads null as NaN.</summary>
public sealed class FiniteDouble : JsonConverter<double>
{
    /// <inheritdoc />
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value)) writer.WriteNumberValue(value);
        else writer.WriteNullValue();
    }
}
