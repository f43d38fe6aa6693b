namespace DomainSsl.Dicom.Tests.Dictionary;

public class DicomDictionaryTests
{
    [Fact]
    public void Dictionary_KnowsTheStandard() => Assert.True(DicomDictionary.Count > 4900);

    [Theory]
    [InlineData(0x00100010u, DicomVr.PN, "PatientName")]
    [InlineData(0x00080020u, DicomVr.DA, "StudyDate")]
    [InlineData(0x7FE00010u, DicomVr.OW, "PixelData")]
    [InlineData(0x60023000u, DicomVr.OW, "OverlayData")]
    [InlineData(0x00280106u, DicomVr.US, "SmallestImagePixelValue")]
    public void Dictionary_Tag_HasItsRepresentationAndName(uint tag, DicomVr vr, string name) =>
        Assert.Equal((vr, name), (DicomDictionary.Vr(new DicomTag(tag)), DicomDictionary.Name(new DicomTag(tag))));

    [Fact]
    public void Dictionary_OpenRepresentation_FollowsPixelRepresentation() =>
        Assert.Equal(DicomVr.SS, DicomDictionary.Vr(DicomTags.SmallestImagePixelValue, signed: true));

    [Theory]
    [InlineData("(0010,0020)")]
    [InlineData("00100020")]
    [InlineData("PatientID")]
    public void Tag_Parse_TakesNumbersAndKeywords(string text) => Assert.True(DicomTag.TryParse(text, out var tag) && tag == DicomTags.PatientID);

    [Fact]
    public void Dictionary_EveryConstant_IsInTheTable()
    {
        var constants = typeof(DicomTags).GetProperties().Select(p => (p.Name, Tag: (DicomTag)p.GetValue(null)!)).ToArray();
        Assert.True(constants.Length > 4400);
        Assert.All(constants, c => Assert.True(DicomDictionary.TryFind(c.Name, out var tag) && tag == c.Tag, c.Name));
    }
}
