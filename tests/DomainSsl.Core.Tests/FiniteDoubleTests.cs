using System.Text.Json;

namespace DomainSsl.Core.Tests;

public sealed class FiniteDoubleTests
{
    private static readonly JsonSerializerOptions Options = new() { Converters = { new FiniteDouble() } };

    [Fact]
    public void Write_WhatJsonHasNoWordFor_IsNullAndReadsBackAsNaN()
    {
        var json = JsonSerializer.Serialize(new[] { 0.5, double.NaN, double.PositiveInfinity, double.NegativeInfinity }, Options);
        Assert.Equal("[0.5,null,null,null]", json);
        var read = JsonSerializer.Deserialize<double[]>(json, Options)!;
        Assert.Equal(0.5, read[0]);
        Assert.All(read.Skip(1), v => Assert.True(double.IsNaN(v)));
    }
}
